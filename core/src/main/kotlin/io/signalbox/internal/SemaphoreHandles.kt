package io.signalbox.internal

import io.signalbox.AfterDataLoss
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.PoolSemaphore
import kotlin.time.Duration

/** The semaphores of one client: one handle per name, whose settings are those of the first call. */
internal class SemaphoreHandles(
    private val client: DefaultSignalbox,
) {
    /** [attached] until somebody names the count. */
    private class Handle(
        val semaphore: Semaphore,
        val coordinator: Coordinator,
        val settings: SemaphoreSettings,
        var attached: Boolean,
    )

    private val handles = Handles<Handle>()

    /** Creates or joins, or with [ATTACHED] for [declared] only joins; `null` if there is nothing to join. */
    suspend fun handle(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): Semaphore? {
        requireName("name of a semaphore", name, MAX_NAME_BYTES)
        val holdMillis = holdMillis(wanted.maxHold)
        requireWait("acquireTimeout", wanted.acquireTimeout)
        val handle = HandleSettings(declared, wanted.bounded, wanted.afterDataLoss == AfterDataLoss.QUARANTINE, holdMillis)
        return handles.choose(name) { known ->
            if (known != null) rejoin(name, known, handle, wanted) else join(name, handle, wanted)
        }?.semaphore
    }

    private suspend fun join(
        name: String,
        handle: HandleSettings,
        wanted: SemaphoreSettings,
    ): Handle? {
        val algorithm = wanted.algorithm
        val attached = handle.declared == ATTACHED
        val pools = client.pools
        if (algorithm is SemaphoreAlgorithm.Pool && pools != null) {
            val coordinator = pools.join(name, handle, algorithm.initStrategy) ?: return null
            client.closeWithClient(coordinator)
            return Handle(PoolSemaphore(coordinator, wanted.acquireTimeout, client), coordinator, wanted, attached)
        }
        val kind = if (algorithm is SemaphoreAlgorithm.Pool) Kind.POOL else Kind.SEMAPHORE
        val coordinator = client.coordinator(LedgerName(kind, name), handle) ?: return null
        val semaphore =
            DefaultSemaphore(coordinator, wanted.acquireTimeout, countsOf(algorithm).last) { limit -> client.snapshot(coordinator, limit) }
        return Handle(semaphore, coordinator, wanted, attached)
    }

    private fun rejoin(
        name: String,
        known: Handle,
        wanted: HandleSettings,
        settings: SemaphoreSettings,
    ): Handle {
        val attaching = wanted.declared == ATTACHED
        val same =
            known.settings.algorithm::class == settings.algorithm::class &&
                known.settings.maxHold == settings.maxHold &&
                known.settings.acquireTimeout == settings.acquireTimeout &&
                (attaching || known.attached || known.settings.afterDataLoss == settings.afterDataLoss)
        if (!same) requireSame("Semaphore '$name'", known.settings.toString(), settings.toString())
        if (!attaching) {
            known.coordinator.declare(wanted)
            known.attached = false
        }
        return known
    }

    companion object {
        const val ATTACHED = -1
        const val MAX_NAME_BYTES = 256

        fun countsOf(algorithm: SemaphoreAlgorithm): IntRange =
            if (algorithm is SemaphoreAlgorithm.Pool) 1..SemaphoreAlgorithm.Pool.MAX_PERMITS else 0..Semaphore.MAX_PERMITS

        /** -1 for infinite. */
        fun holdMillis(maxHold: Duration): Long = if (maxHold == Duration.INFINITE) -1 else wholeMillis("maxHold", maxHold, MAX_HOLD)

        fun requireWait(
            what: String,
            value: Duration,
        ) {
            if (value != Duration.INFINITE) wholeMillis(what, value, Duration.INFINITE)
        }
    }
}
