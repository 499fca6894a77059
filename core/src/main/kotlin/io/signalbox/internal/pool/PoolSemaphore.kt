package io.signalbox.internal.pool

import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.AcquiringSemaphore
import io.signalbox.internal.ClientTime
import io.signalbox.internal.DefaultSignalbox
import io.signalbox.internal.Hold
import io.signalbox.internal.Observers
import io.signalbox.internal.WaiterBounds
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration

/** The public face of a [PoolCoordinator]. */
internal class PoolSemaphore(
    val coordinator: PoolCoordinator,
    acquireTimeout: Duration,
    private val client: DefaultSignalbox,
    observers: Observers,
    bounds: WaiterBounds?,
) : AcquiringSemaphore<PoolPermit>(
    acquireTimeout,
    ClientTime.REAL,
    observers,
    bounds,
    client.confirming(coordinator.subject.name),
) {
    override val subject: LedgerName get() = coordinator.subject

    override suspend fun request(
        permits: Int,
        waits: Boolean,
        hold: Hold,
    ): PoolPermit? = if (hold === Hold.USUAL) coordinator.acquire(permits, waits) else coordinator.acquire(permits, waits, hold.maxMillis)

    override val usualHoldMillis: Long get() = coordinator.usualHoldMillis

    override fun requireMinHold() =
        throw UnsupportedOperationException(
            "A pool has no minHold: a permit that nobody holds is in its list, for whoever asks. Use the queue algorithm.",
        )

    override fun now(): Long = coordinator.now()

    override fun outageSince(moment: Long): Exception? = coordinator.outageSince(moment)

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

    override suspend fun redeclare(permits: Int) {
        require(permits in 1..MOST) { "permits of a pool must be from 1 to $MOST, but was $permits." }
        client.untilClosed { coordinator.redeclare(permits) }
    }

    override suspend fun revoke(
        fencingToken: Long,
        patience: Duration?,
    ): Boolean = unsupported("revoke", "its holder could not be told before somebody else is granted the permit. Give it a max hold")

    override suspend fun delete(): Boolean = unsupported("delete", "its clients could not be told. Let it expire, or resize it to 0")

    private fun unsupported(
        what: String,
        why: String,
    ): Nothing = throw UnsupportedOperationException("A pool has no $what(): $why, or use the queue algorithm.")

    override suspend fun addPermits(permits: Int): Int {
        require(permits in 1..MOST) { "permits of a pool must be from 1 to $MOST, but was $permits." }
        return client.untilClosed { coordinator.addPermits(permits) }
    }

    companion object {
        const val MOST: Int = SemaphoreAlgorithm.Pool.MAX_PERMITS
    }
}
