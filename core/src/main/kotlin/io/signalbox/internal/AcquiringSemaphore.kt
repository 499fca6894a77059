package io.signalbox.internal

import io.signalbox.AcquireTimeoutException
import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.TooManyWaitersException
import io.signalbox.internal.coordination.TooHeavy
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellationException

/**
 * The ways to acquire, with their argument checks and time limits, made of the one that a coordinator has. A permit that is lost already,
 * because this process stood still between its grant and now, is not handed out: the acquire begins anew.
 */
internal abstract class AcquiringSemaphore<P : Permit>(
    private val acquireTimeout: Duration,
    private val time: ClientTime,
    private val observers: Observers,
    private val bounds: WaiterBounds?,
    /** Suspends until what was granted is where it has to be beside the primary's memory; `null` if that is enough. */
    private val confirm: (suspend () -> Unit)? = null,
) : Semaphore,
    Viewed {
    @Volatile
    override var views: Any? = null

    protected abstract val subject: LedgerName

    override val name: String get() = subject.name

    /**
     * Suspends until granted; `null` if refused, which only happens to an acquire that does not wait.
     *
     * @param holdMillis the max hold, -1 for none, or [USUAL_HOLD].
     */
    protected abstract suspend fun request(
        permits: Int,
        waits: Boolean,
        holdMillis: Long,
    ): P?

    /** Does what is done once, and is no matter of a call's time limit. */
    protected open suspend fun prepare() = Unit

    /** Gives back a permit that nobody has seen. */
    protected abstract fun giveBack(permit: P)

    /** The client's clock. */
    protected abstract fun now(): Long

    /** That nothing was granted in time can have another reason than that others hold: `null`, or that the store was away since [moment]. */
    protected abstract fun outageSince(moment: Long): Exception?

    override suspend fun acquire(permits: Int): Permit {
        if (acquireTimeout.isFinite()) return acquire(permits, acquireTimeout)
        return granted(usable(requireWeight(permits), waits = true, USUAL_HOLD))
    }

    override suspend fun acquire(
        permits: Int,
        timeout: Duration,
    ): Permit = inTime(permits, timeout, USUAL_HOLD)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration?,
        maxHold: Duration,
    ): Permit = inTime(permits, timeout ?: acquireTimeout, SemaphoreHandles.holdMillis(maxHold))

    private suspend fun inTime(
        permits: Int,
        timeout: Duration,
        holdMillis: Long,
    ): P =
        acquireWithin(permits, timeout, holdMillis) ?: throw AcquireTimeoutException(
            name,
            "${asked(permits)} not granted within $timeout. See snapshot() for who holds and who waits.",
        )

    private fun asked(permits: Int) =
        if (subject.kind == Kind.MUTEX) "The lock of $subject was" else "$permits permit(s) of $subject were"

    override suspend fun tryAcquire(permits: Int): Permit? = usable(requireWeight(permits), waits = false, USUAL_HOLD)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? = ifInTime(permits, timeout, USUAL_HOLD)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
        maxHold: Duration,
    ): Permit? = ifInTime(permits, timeout, SemaphoreHandles.holdMillis(maxHold))

    private suspend fun ifInTime(
        permits: Int,
        timeout: Duration,
        holdMillis: Long,
    ): P? =
        try {
            acquireWithin(permits, timeout, holdMillis)
        } catch (tooHeavy: TooHeavy) {
            // There were as many: it is an expected no.
            if (tooHeavy.isResized) null else throw tooHeavy
        }

    private suspend fun acquireWithin(
        permits: Int,
        timeout: Duration,
        holdMillis: Long,
    ): P? {
        requireTimeout(timeout)
        requireWeight(permits)
        if (timeout == Duration.ZERO) return usable(permits, waits = false, holdMillis)
        if (timeout.isInfinite()) return granted(usable(permits, waits = true, holdMillis))
        prepare()
        val since = now()
        val permit = time.granted(timeout, ::giveBack) { usable(permits, waits = true, holdMillis) }
        if (permit == null) {
            outageSince(since)?.let { throw it.also { away -> refused(permits, away, since) } }
            if (!observers.isEmpty) {
                observers.tell(Observation.TimedOut(subject.kind.observed, name, permits, (now() - since).nanoseconds))
            }
        }
        return permit
    }

    /** [request], begun anew while what it is granted is lost already. */
    private suspend fun usable(
        permits: Int,
        waits: Boolean,
        holdMillis: Long,
    ): P? {
        // Nobody looks at the clock for observers who are not there.
        val since = if (observers.isEmpty) UNOBSERVED else now()
        try {
            while (true) {
                val permit =
                    if (bounds == null) {
                        request(permits, waits, holdMillis)
                    } else {
                        bounds.within(subject, waits) { request(permits, waits, holdMillis) }
                    }
                if (permit == null) {
                    refused(permits, null, since)
                } else if (confirm != null) {
                    confirm(permit, confirm)
                }
                if (permit == null || !permit.isLost) return permit
            }
        } catch (problem: Exception) {
            if (problem !is CancellationException) refused(permits, problem, since)
            throw problem
        }
    }

    /** Tells observers; [problem] is `null` if others hold. */
    private fun refused(
        permits: Int,
        problem: Exception?,
        since: Long,
    ) {
        if (since == UNOBSERVED || observers.isEmpty) return
        val reason =
            when (problem) {
                null -> Observation.Refusal.TAKEN
                is TooManyWaitersException -> Observation.Refusal.TOO_MANY_WAITERS
                is IllegalArgumentException -> Observation.Refusal.IMPOSSIBLE
                else -> Observation.Refusal.UNAVAILABLE
            }
        observers.tell(Observation.Refused(subject.kind.observed, name, permits, reason, (now() - since).nanoseconds))
    }

    private suspend fun confirm(
        permit: P,
        confirm: suspend () -> Unit,
    ) {
        var isConfirmed = false
        try {
            confirm()
            isConfirmed = true
        } finally {
            if (!isConfirmed) giveBack(permit)
        }
    }

    private fun granted(permit: P?): P = checkNotNull(permit) { "An acquire that waits is never refused." }

    private fun requireWeight(permits: Int): Int {
        require(permits >= 1) { "permits must be at least 1, but was $permits." }
        return permits
    }

    override fun toString(): String = "Semaphore(name=$name)"

    protected companion object {
        /** The max hold is the handle's. */
        const val USUAL_HOLD = Long.MIN_VALUE
        const val MAX_LISTED: Int = 10_000
        private const val UNOBSERVED = Long.MIN_VALUE
    }
}
