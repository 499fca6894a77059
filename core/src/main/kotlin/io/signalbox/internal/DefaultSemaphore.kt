package io.signalbox.internal

import io.signalbox.Semaphore
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.Asked
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration

/** The public face of a [SemaphoreCoordinator]: argument checks, time limits, the meaning of answers. */
internal class DefaultSemaphore(
    val coordinator: SemaphoreCoordinator,
    acquireTimeout: Duration,
    observers: Observers,
    val bounds: WaiterBounds?,
    private val maxPermits: Int = Semaphore.MAX_PERMITS,
    confirm: (suspend () -> Unit)? = null,
    private val snapshotOf: suspend (limit: Int) -> SemaphoreSnapshot?,
) : AcquiringSemaphore<HeldPermit>(acquireTimeout, coordinator.time, observers, bounds, confirm) {
    override val subject: LedgerName get() = coordinator.subject

    override suspend fun request(
        permits: Int,
        waits: Boolean,
        hold: Hold,
    ): HeldPermit? =
        if (hold === Hold.USUAL) {
            coordinator.acquire(permits, waits)
        } else {
            coordinator.acquire(permits, waits, hold.maxMillis, hold.minMillis)
        }

    override val usualHoldMillis: Long get() = coordinator.usualHoldMillis

    override suspend fun prepare() = coordinator.prepare()

    override fun giveBack(permit: HeldPermit) = permit.giveBack()

    override fun now(): Long = coordinator.now()

    override fun outageSince(moment: Long): Exception? = coordinator.outageSince(moment)

    override suspend fun permits(): Int = coordinator.ask(null).answer.permits

    override suspend fun availablePermits(): Int = coordinator.ask(null).answer.let {
        if (it.open) (it.permits - it.held).coerceAtLeast(0) else 0
    }

    override suspend fun isLocked(): Boolean = coordinator.ask(null).answer.let { it.held >= it.permits || it.queued > 0 || !it.open }

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot {
        require(limit in 1..MAX_LISTED) { "limit must be from 1 to $MAX_LISTED, but was $limit." }
        coordinator.checkOpen()
        return snapshotOf(limit)
            ?: throw SemaphoreNotFoundException(
                name,
                "${subject.title} does not exist any more: the server has lost its data, or was cleared.",
            )
    }

    override suspend fun resize(permits: Int) {
        requireCount(permits, 0..maxPermits)
        coordinator.ask(Command.Resize(permits))
    }

    override suspend fun redeclare(permits: Int) {
        requireCount(permits, 0..maxPermits)
        coordinator.redeclare(permits)
    }

    override suspend fun revoke(
        fencingToken: Long,
        patience: Duration?,
    ): Boolean {
        val limit = patience?.also { requireTimeout(it) } ?: coordinator.lease
        return coordinator.revoke(limit) { snapshot(MAX_LISTED).holders.firstOrNull { it.fencingToken == fencingToken } }
    }

    override suspend fun delete(): Boolean = coordinator.delete()

    override suspend fun addPermits(permits: Int): Int {
        requireCount(permits, 1..maxPermits)
        if (maxPermits < Semaphore.MAX_PERMITS) requireSum(permits(), permits)
        val asked: Asked = coordinator.ask(Command.AddPermits(permits))
        check(asked.result != Answer.IMPOSSIBLE) {
            "${subject.title} is bounded, so addPermits($permits) is refused. Use resize(), or create it with bounded = false."
        }
        if (asked.result == Answer.TOO_MANY) requireSum(asked.answer.permits, permits)
        return asked.result
    }

    private fun requireSum(
        before: Int,
        permits: Int,
    ) = require(before + permits <= maxPermits) { "${subject.title} has $before permits; $permits more would exceed $maxPermits." }

    companion object {
        fun requireCount(
            permits: Int,
            range: IntRange,
        ) = require(permits in range) { "permits must be from ${range.first} to ${range.last}, but was $permits." }
    }
}
