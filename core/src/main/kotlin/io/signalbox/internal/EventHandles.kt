package io.signalbox.internal

import io.signalbox.EventSettings
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
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
    )

    private val handles = Handles<Handle>()

    suspend fun handle(
        name: String,
        wanted: EventSettings,
    ): DefaultEvent {
        requireName("name of an event", name, SemaphoreHandles.MAX_NAME_BYTES)
        if (wanted.signalTtl.isFinite()) wholeMillis("signalTtl", wanted.signalTtl, MAX_HOLD)
        require(wanted.maxSignals in 1..MOST) { "maxSignals must be from 1 to $MOST, but was ${wanted.maxSignals}." }
        // No signals at first; setting it adds to them.
        val handle = HandleSettings(declared = 0, bounded = false, quarantine = false, holdMillis = -1)
        return handles.choose(name) { known ->
            requireSame("Event '$name'", known?.settings, wanted.toString())
            known ?: client.coordinator(LedgerName(Kind.EVENT, name), handle)!!.let { coordinator ->
                val semaphore = DefaultSemaphore(coordinator, Duration.INFINITE) { limit -> client.snapshot(coordinator, limit) }
                Handle(DefaultEvent(semaphore, wanted), wanted.toString())
            }
        }!!.event
    }

    private companion object {
        const val MOST = 1_000_000
    }
}
