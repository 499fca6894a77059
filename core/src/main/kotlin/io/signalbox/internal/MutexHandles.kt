package io.signalbox.internal

import io.signalbox.AfterDataLoss
import io.signalbox.MutexSettings
import io.signalbox.internal.coordination.HandleSettings
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
    )

    private val handles = Handles<Handle>()

    suspend fun handle(
        name: String,
        wanted: MutexSettings,
    ): DefaultMutex {
        requireName("name of a mutex", name, SemaphoreHandles.MAX_NAME_BYTES)
        val holdMillis = SemaphoreHandles.holdMillis(wanted.maxHold)
        SemaphoreHandles.requireWait("lockTimeout", wanted.lockTimeout)
        val handle = HandleSettings(declared = 1, bounded = true, wanted.afterDataLoss == AfterDataLoss.QUARANTINE, holdMillis)
        return handles.choose(name) { known ->
            requireSame("Mutex '$name'", known?.settings, wanted.toString())
            known ?: client.coordinator(LedgerName(Kind.MUTEX, name), handle)!!.let { coordinator ->
                val semaphore = DefaultSemaphore(coordinator, wanted.lockTimeout) { limit -> client.snapshot(coordinator, limit) }
                Handle(DefaultMutex(semaphore), wanted.toString())
            }
        }!!.mutex
    }
}
