package io.signalbox.internal

import io.signalbox.AcquireTimeoutException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration
import kotlinx.coroutines.withTimeoutOrNull

/** The ways to acquire, with their argument checks and time limits, made of the one that a coordinator has. */
internal abstract class AcquiringSemaphore<P : Permit>(
    private val acquireTimeout: Duration,
) : Semaphore {
    protected abstract val subject: LedgerName

    override val name: String get() = subject.name

    /** Suspends until granted; `null` if refused, which only happens to an acquire that does not wait. */
    protected abstract suspend fun request(
        permits: Int,
        waits: Boolean,
    ): P?

    /** Gives back a permit that nobody has seen. */
    protected abstract fun giveBack(permit: P)

    override suspend fun acquire(permits: Int): Permit =
        if (acquireTimeout.isInfinite()) granted(request(requireWeight(permits), waits = true)) else acquire(permits, acquireTimeout)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration,
    ): Permit =
        tryAcquire(permits, timeout) ?: throw AcquireTimeoutException(
            name,
            "$permits permit(s) of $subject were not granted within $timeout. See snapshot() for who holds and who waits.",
        )

    override suspend fun tryAcquire(permits: Int): Permit? = request(requireWeight(permits), waits = false)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? {
        requireTimeout(timeout)
        requireWeight(permits)
        if (timeout == Duration.ZERO) return tryAcquire(permits)
        if (timeout.isInfinite()) return granted(request(permits, waits = true))
        // A permit that arrives together with the time-out, or with a cancellation, must not get lost on the way out.
        var permit: P? = null
        var handedOut = false
        try {
            withTimeoutOrNull(timeout) { permit = request(permits, waits = true) }
            handedOut = true
        } finally {
            if (!handedOut) permit?.let(::giveBack)
        }
        return permit
    }

    private fun granted(permit: P?): P = checkNotNull(permit) { "An acquire that waits is never refused." }

    private fun requireWeight(permits: Int): Int {
        require(permits >= 1) { "permits must be at least 1, but was $permits." }
        return permits
    }

    override fun toString(): String = "Semaphore(name=$name)"

    protected companion object {
        const val MAX_LISTED: Int = 10_000
    }
}
