package io.signalbox.internal

import io.signalbox.AfterDataLoss
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireName
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.pool.PoolSemaphore
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds

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
    ) {
        init {
            coordinator.handle = this
        }
    }

    private val handles = Handles<Handle>()

    val coordinators: List<Coordinator> get() = handles.all.map { it.coordinator }

    /** Creates or joins, or with [ATTACHED] for [declared] only joins; `null` if there is nothing to join. */
    suspend fun handle(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): Semaphore? {
        val handle = checked(name, declared, wanted)
        return handles.choose(name) { known ->
            if (known != null) rejoin(name, known, handle, wanted) else join(name, handle, wanted)
        }?.semaphore
    }

    /** One that joins with its first use. */
    fun lazily(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): Semaphore {
        val handle = checked(name, declared, wanted)
        if (wanted.algorithm is SemaphoreAlgorithm.Pool && client.pools != null) {
            return LazySemaphore(name) { client.untilClosed { handle(name, declared, wanted)!! } }
        }
        return handles.chooseNow(name) { known ->
            if (known == null) {
                made(client.lazyCoordinator(LedgerName(kindOf(wanted.algorithm), name), handle), wanted, attached = false)
            } else {
                requireSame(name, known, attaching = false, wanted)
                known.coordinator.requireDeclared(handle)
                known
            }
        }.semaphore
    }

    private fun checked(
        name: String,
        declared: Int,
        wanted: SemaphoreSettings,
    ): HandleSettings {
        requireName("name of a semaphore", name, MAX_NAME_BYTES)
        val holdMillis = holdMillis(wanted.maxHold)
        requireWait("acquireTimeout", wanted.acquireTimeout)
        requireBound(wanted.maxWaiters)
        val longest = longestMillis(wanted.afterDataLoss, wanted.longestLease, client.leaseMillis)
        return HandleSettings(declared, wanted.bounded, longest, holdMillis, wanted.onMismatch)
    }

    private fun kindOf(algorithm: SemaphoreAlgorithm) = if (algorithm is SemaphoreAlgorithm.Pool) Kind.POOL else Kind.SEMAPHORE

    private fun made(
        coordinator: SemaphoreCoordinator,
        wanted: SemaphoreSettings,
        attached: Boolean,
    ): Handle {
        val most = countsOf(wanted.algorithm).last
        val bounds = WaiterBounds.of(wanted.maxWaiters, client.bound)
        val semaphore =
            DefaultSemaphore(
                coordinator,
                wanted.acquireTimeout,
                client.observers,
                bounds,
                most,
                client.confirming(coordinator.subject.name),
            ) { limit -> client.snapshot(coordinator, limit) }
        return Handle(semaphore, coordinator, wanted, attached)
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
            val coordinator = client.pool(pools, name, handle, algorithm.initStrategy) ?: return null
            return Handle(
                PoolSemaphore(
                    coordinator,
                    wanted.acquireTimeout,
                    client,
                    client.observers,
                    WaiterBounds.of(wanted.maxWaiters, client.bound),
                ),
                coordinator,
                wanted,
                attached,
            )
        }
        val coordinator = client.coordinator(LedgerName(kindOf(algorithm), name), handle) ?: return null
        return made(coordinator, wanted, attached)
    }

    private suspend fun rejoin(
        name: String,
        known: Handle,
        wanted: HandleSettings,
        settings: SemaphoreSettings,
    ): Handle {
        val attaching = wanted.declared == ATTACHED
        requireSame(name, known, attaching, settings)
        if (attaching) {
            known.coordinator.awaitJoined()
        } else {
            known.coordinator.declare(wanted)
            known.attached = false
        }
        return known
    }

    private fun requireSame(
        name: String,
        known: Handle,
        attaching: Boolean,
        settings: SemaphoreSettings,
    ) {
        val same =
            known.settings.algorithm::class == settings.algorithm::class &&
                known.settings.maxHold == settings.maxHold &&
                known.settings.acquireTimeout == settings.acquireTimeout &&
                known.settings.maxWaiters == settings.maxWaiters &&
                (
                    attaching || known.attached ||
                        (known.settings.afterDataLoss == settings.afterDataLoss && known.settings.longestLease == settings.longestLease)
                    )
        if (!same) requireSame("Semaphore '$name'", known.settings.toString(), settings.toString())
    }

    companion object {
        const val ATTACHED = -1
        const val MAX_NAME_BYTES = 256

        fun countsOf(algorithm: SemaphoreAlgorithm): IntRange =
            if (algorithm is SemaphoreAlgorithm.Pool) 1..SemaphoreAlgorithm.Pool.MAX_PERMITS else 0..Semaphore.MAX_PERMITS

        /** -1 for infinite. */
        fun holdMillis(maxHold: Duration): Long = if (maxHold == Duration.INFINITE) -1 else wholeMillis("maxHold", maxHold, MAX_HOLD)

        /** How long a quarantine lasts, and so the longest lease; 0 without one. */
        fun longestMillis(
            afterDataLoss: AfterDataLoss,
            longest: Duration?,
            leaseMillis: Long,
        ): Long {
            if (longest == null) return if (afterDataLoss == AfterDataLoss.QUARANTINE) leaseMillis else 0
            require(afterDataLoss == AfterDataLoss.QUARANTINE) {
                "longestLease is for AfterDataLoss.QUARANTINE; set that as well, or leave it out."
            }
            return wholeMillis("longestLease", longest, 1.days, least = leaseMillis.milliseconds)
        }

        fun requireBound(most: Int) = require(most >= 1) { "maxWaiters must be at least 1, but was $most." }

        fun requireWait(
            what: String,
            value: Duration,
        ) {
            if (value != Duration.INFINITE) wholeMillis(what, value, Duration.INFINITE)
        }
    }
}
