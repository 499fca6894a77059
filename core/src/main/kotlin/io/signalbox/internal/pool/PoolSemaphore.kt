package io.signalbox.internal.pool

import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.AcquiringSemaphore
import kotlin.time.Duration

/** The public face of a [PoolCoordinator]. [untilClosed] ends a request when the client is closed. */
internal class PoolSemaphore(
    val coordinator: PoolCoordinator,
    acquireTimeout: Duration,
    private val untilClosed: Guard,
) : AcquiringSemaphore<PoolPermit>(acquireTimeout) {
    interface Guard {
        suspend fun <T> run(request: suspend () -> T): T
    }

    override val name: String get() = coordinator.name

    override suspend fun request(
        permits: Int,
        waits: Boolean,
    ): PoolPermit? = coordinator.acquire(permits, waits)

    override fun giveBack(permit: PoolPermit) = permit.giveBack()

    override suspend fun permits(): Int = view().permits

    override suspend fun availablePermits(): Int = view().availablePermits

    override suspend fun isLocked(): Boolean = view().availablePermits == 0 || coordinator.isWaitedFor()

    private suspend fun view(): PoolView = untilClosed.run { coordinator.view() }

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot {
        require(limit in 1..MAX_LISTED) { "limit must be from 1 to $MAX_LISTED, but was $limit." }
        return untilClosed.run { coordinator.snapshot(limit) }
    }

    override suspend fun resize(permits: Int) {
        require(permits in 0..MOST) { "permits of a pool must be from 0 to $MOST, but was $permits." }
        untilClosed.run { coordinator.resize(permits) }
    }

    override suspend fun addPermits(permits: Int): Int {
        require(permits in 1..MOST) { "permits of a pool must be from 1 to $MOST, but was $permits." }
        return untilClosed.run { coordinator.addPermits(permits) }
    }

    companion object {
        const val MOST: Int = SemaphoreAlgorithm.Pool.MAX_PERMITS
    }
}
