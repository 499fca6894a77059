package io.signalbox.internal

import io.signalbox.MutexSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName

/** The mutexes of one client. */
internal class MutexHandles(
    private val client: DefaultSignalbox,
) {
    private class Handle(
        val mutex: DefaultMutex,
        val settings: String,
    ) {
        val coordinator get() = mutex.semaphore.coordinator

        init {
            coordinator.handle = this
        }
    }

    private val handles = Handles<Handle>()

    val coordinators: List<Coordinator> get() = handles.all.map { it.coordinator }

    suspend fun handle(
        name: String,
        wanted: MutexSettings,
    ): DefaultMutex {
        val handle = checked(name, wanted)
        return handles.choose(name) { known ->
            requireSame("Mutex '$name'", known?.settings, wanted.toString())
            known?.also { it.coordinator.declare(handle) } ?: made(client.coordinator(LedgerName(Kind.MUTEX, name), handle)!!, wanted)
        }!!.mutex
    }

    /** One that joins with its first use. */
    fun lazily(
        name: String,
        wanted: MutexSettings,
    ): DefaultMutex {
        val handle = checked(name, wanted)
        return handles.chooseNow(name) { known ->
            requireSame("Mutex '$name'", known?.settings, wanted.toString())
            known ?: made(client.lazyCoordinator(LedgerName(Kind.MUTEX, name), handle), wanted)
        }.mutex
    }

    private fun made(
        coordinator: SemaphoreCoordinator,
        wanted: MutexSettings,
    ): Handle {
        val semaphore =
            DefaultSemaphore(
                coordinator,
                wanted.lockTimeout,
                client.observers,
                WaiterBounds.of(wanted.maxWaiters, client.bound),
                confirm = client.confirming(coordinator.subject.name),
            ) { limit -> client.snapshot(coordinator, limit) }
        return Handle(DefaultMutex(semaphore), wanted.toString())
    }

    private fun checked(
        name: String,
        wanted: MutexSettings,
    ): HandleSettings {
        requireName("name of a mutex", name, SemaphoreHandles.MAX_NAME_BYTES)
        val holdMillis = SemaphoreHandles.holdMillis(wanted.maxHold)
        SemaphoreHandles.requireBound(wanted.maxWaiters)
        SemaphoreHandles.requireWait("lockTimeout", wanted.lockTimeout)
        val longest = SemaphoreHandles.longestMillis(wanted.afterDataLoss, wanted.longestLease, client.leaseMillis)
        return HandleSettings(declared = 1, bounded = true, longest, holdMillis)
    }
}
