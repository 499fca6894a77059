package io.signalbox.internal

import io.signalbox.EventSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration

/** The events of one client. */
internal class EventHandles(
    private val client: DefaultSignalbox,
) {
    private class Handle(
        val event: DefaultEvent,
        val settings: String,
    ) {
        val coordinator get() = event.coordinator

        init {
            coordinator.handle = this
        }
    }

    private val handles = Handles<Handle>()

    val coordinators: List<Coordinator> get() = handles.all.map { it.coordinator }

    suspend fun handle(
        name: String,
        wanted: EventSettings,
    ): DefaultEvent {
        val handle = checked(name, wanted)
        return handles.choose(name) { known ->
            requireSame("Event '$name'", known?.settings, wanted.toString())
            known?.also { it.coordinator.declare(handle) } ?: made(client.coordinator(LedgerName(Kind.EVENT, name), handle)!!, wanted)
        }!!.event
    }

    /** One that joins with its first use. */
    fun lazily(
        name: String,
        wanted: EventSettings,
    ): DefaultEvent {
        val handle = checked(name, wanted)
        return handles.chooseNow(name) { known ->
            requireSame("Event '$name'", known?.settings, wanted.toString())
            known ?: made(client.lazyCoordinator(LedgerName(Kind.EVENT, name), handle), wanted)
        }.event
    }

    private fun made(
        coordinator: SemaphoreCoordinator,
        wanted: EventSettings,
    ): Handle {
        val semaphore =
            DefaultSemaphore(coordinator, Duration.INFINITE, client.observers, WaiterBounds.of(wanted.maxWaiters, client.bound)) { limit ->
                client.snapshot(coordinator, limit)
            }
        return Handle(DefaultEvent(semaphore, wanted), wanted.toString())
    }

    private fun checked(
        name: String,
        wanted: EventSettings,
    ): HandleSettings {
        requireName("name of an event", name, SemaphoreHandles.MAX_NAME_BYTES)
        if (wanted.signalTtl.isFinite()) wholeMillis("signalTtl", wanted.signalTtl, MAX_HOLD)
        SemaphoreHandles.requireBound(wanted.maxWaiters)
        require(wanted.maxSignals in 1..MOST) { "maxSignals must be from 1 to $MOST, but was ${wanted.maxSignals}." }
        // No signals at first; setting it adds to them.
        return HandleSettings(declared = 0, bounded = false, longestMillis = 0, holdMillis = -1)
    }

    private companion object {
        const val MOST = 1_000_000
    }
}
