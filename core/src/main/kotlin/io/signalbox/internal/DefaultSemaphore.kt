package io.signalbox.internal

import io.signalbox.AcquireTimeoutException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.Asked
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.SemaphoreCoordinator
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import kotlin.time.Duration
import kotlinx.coroutines.withTimeoutOrNull

/** The public face of a [SemaphoreCoordinator]: argument checks, time limits, the meaning of answers. */
internal class DefaultSemaphore(
    val coordinator: SemaphoreCoordinator,
    private val acquireTimeout: Duration,
    private val snapshotOf: suspend (limit: Int) -> SemaphoreSnapshot?,
) : Semaphore {
    override val name: String get() = coordinator.subject.name

    override suspend fun acquire(permits: Int): Permit =
        if (acquireTimeout.isInfinite()) {
            granted(
                coordinator.acquire(requireWeight(permits), waits = true),
            )
        } else {
            acquire(permits, acquireTimeout)
        }

    override suspend fun acquire(
        permits: Int,
        timeout: Duration,
    ): Permit =
        tryAcquire(permits, timeout) ?: throw AcquireTimeoutException(
            name,
            "$permits permit(s) of ${coordinator.subject} were not granted within $timeout. See snapshot() for who holds and who waits.",
        )

    override suspend fun tryAcquire(permits: Int): Permit? = coordinator.acquire(requireWeight(permits), waits = false)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? {
        requireTimeout(timeout)
        requireWeight(permits)
        if (timeout == Duration.ZERO) return tryAcquire(permits)
        if (timeout.isInfinite()) return granted(coordinator.acquire(permits, waits = true))
        // A permit that arrives together with the time-out, or with a cancellation, must not get lost on the way out.
        var permit: HeldPermit? = null
        var handedOut = false
        try {
            withTimeoutOrNull(timeout) { permit = coordinator.acquire(permits, waits = true) }
            handedOut = true
        } finally {
            if (!handedOut) permit?.giveBack()
        }
        return permit
    }

    private fun granted(permit: HeldPermit?): HeldPermit = checkNotNull(permit) { "An acquire that waits is never refused." }

    private fun requireWeight(permits: Int): Int {
        require(permits >= 1) { "permits must be at least 1, but was $permits." }
        return permits
    }

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
                "${coordinator.subject.title} does not exist any more: the server has lost its data, or was cleared.",
            )
    }

    override suspend fun resize(permits: Int) {
        requireCount(permits)
        coordinator.ask(Command.Resize(permits))
    }

    override suspend fun addPermits(permits: Int): Int {
        require(permits in 1..Semaphore.MAX_PERMITS) { "permits must be from 1 to ${Semaphore.MAX_PERMITS}, but was $permits." }
        val asked: Asked = coordinator.ask(Command.AddPermits(permits))
        check(asked.result != Answer.IMPOSSIBLE) {
            "${coordinator.subject.title} is bounded, so addPermits($permits) is refused. Use resize(), or create it with bounded = false."
        }
        require(asked.result != Answer.TOO_MANY) {
            "${coordinator.subject.title} has ${asked.answer.permits} permits; $permits more would exceed ${Semaphore.MAX_PERMITS}."
        }
        return asked.result
    }

    override fun toString(): String = "Semaphore(name=$name)"

    companion object {
        private const val MAX_LISTED = 10_000

        fun requireCount(permits: Int): Int {
            require(permits in 0..Semaphore.MAX_PERMITS) { "permits must be from 0 to ${Semaphore.MAX_PERMITS}, but was $permits." }
            return permits
        }
    }
}
