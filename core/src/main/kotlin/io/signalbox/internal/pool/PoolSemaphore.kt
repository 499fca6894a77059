package io.signalbox.internal.pool

import io.signalbox.Permit
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.AcquiringSemaphore
import io.signalbox.internal.DefaultSignalbox
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration

/** The public face of a [PoolCoordinator]. */
internal class PoolSemaphore(
    val coordinator: PoolCoordinator,
    acquireTimeout: Duration,
    private val client: DefaultSignalbox,
) : AcquiringSemaphore<PoolPermit>(acquireTimeout) {
    override val subject: LedgerName get() = coordinator.subject

    override suspend fun request(
        permits: Int,
        waits: Boolean,
    ): PoolPermit? = coordinator.acquire(permits, waits)

    /** That nothing was granted in time can have another reason than that others hold. */
    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? {
        val since = coordinator.now()
        return super.tryAcquire(permits, timeout) ?: null.also { if (coordinator.isCutOff(since)) throw coordinator.unavailable() }
    }

    override fun giveBack(permit: PoolPermit) = permit.giveBack()

    override suspend fun permits(): Int = view().permits

    override suspend fun availablePermits(): Int = view().availablePermits

    override suspend fun isLocked(): Boolean = view().availablePermits == 0 || coordinator.isWaitedFor()

    private suspend fun view(): PoolView = client.untilClosed { coordinator.view() }

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot {
        require(limit in 1..MAX_LISTED) { "limit must be from 1 to $MAX_LISTED, but was $limit." }
        return client.untilClosed { coordinator.snapshot(limit) }
    }

    override suspend fun resize(permits: Int) {
        require(permits in 0..MOST) { "permits of a pool must be from 0 to $MOST, but was $permits." }
        client.untilClosed { coordinator.resize(permits) }
    }

    override suspend fun addPermits(permits: Int): Int {
        require(permits in 1..MOST) { "permits of a pool must be from 1 to $MOST, but was $permits." }
        return client.untilClosed { coordinator.addPermits(permits) }
    }

    companion object {
        const val MOST: Int = SemaphoreAlgorithm.Pool.MAX_PERMITS
    }
}
