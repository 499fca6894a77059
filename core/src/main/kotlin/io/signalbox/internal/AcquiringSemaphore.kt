package io.signalbox.internal

import io.signalbox.AcquireTimeoutException
import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.TooManyWaitersException
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.TooHeavy
import io.signalbox.internal.coordination.minHoldMillis
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
     * @param hold [Hold.USUAL] for what the handle says.
     */
    protected abstract suspend fun request(
        permits: Int,
        waits: Boolean,
        hold: Hold,
    ): P?

    /** The max hold of the handle, -1 for none. */
    protected abstract val usualHoldMillis: Long

    /** Fails if it has no minimum hold. */
    protected open fun requireMinHold() = Unit

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
        return granted(usable(requireWeight(permits), waits = true, Hold.USUAL))
    }

    override suspend fun acquire(
        permits: Int,
        timeout: Duration,
    ): Permit = inTime(permits, timeout, Hold.USUAL)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration?,
        maxHold: Duration,
    ): Permit = inTime(permits, timeout ?: acquireTimeout, limited(maxHold))

    override suspend fun acquire(
        permits: Int,
        timeout: Duration?,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit = inTime(permits, timeout ?: acquireTimeout, limited(maxHold, minHold))

    private fun limited(maxHold: Duration) = Hold(SemaphoreHandles.holdMillis(maxHold))

    private fun limited(
        maxHold: Duration?,
        minHold: Duration,
    ): Hold {
        val most = if (maxHold == null) usualHoldMillis else SemaphoreHandles.holdMillis(maxHold)
        val least = minHoldMillis(minHold, most)
        if (least == 0L) return if (maxHold == null) Hold.USUAL else Hold(most)
        requireMinHold()
        // What is kept is listed, and what is listed without being heavy has a limit: the longest there is.
        return Hold(if (most < 0) MAX_HOLD.inWholeMilliseconds else most, least)
    }

    private suspend fun inTime(
        permits: Int,
        timeout: Duration,
        hold: Hold,
    ): P =
        acquireWithin(permits, timeout, hold) ?: throw AcquireTimeoutException(
            name,
            "${asked(permits)} not granted within $timeout. See snapshot() for who holds and who waits.",
        )

    private fun asked(permits: Int) =
        if (subject.kind == Kind.MUTEX) "The lock of $subject was" else "$permits permit(s) of $subject were"

    override suspend fun tryAcquire(permits: Int): Permit? = usable(requireWeight(permits), waits = false, Hold.USUAL)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? = ifInTime(permits, timeout, Hold.USUAL)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
        maxHold: Duration,
    ): Permit? = ifInTime(permits, timeout, limited(maxHold))

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit? = ifInTime(permits, timeout, limited(maxHold, minHold))

    private suspend fun ifInTime(
        permits: Int,
        timeout: Duration,
        hold: Hold,
    ): P? =
        try {
            acquireWithin(permits, timeout, hold)
        } catch (tooHeavy: TooHeavy) {
            // There were as many: it is an expected no.
            if (tooHeavy.isResized) null else throw tooHeavy
        }

    private suspend fun acquireWithin(
        permits: Int,
        timeout: Duration,
        hold: Hold,
    ): P? {
        requireTimeout(timeout)
        requireWeight(permits)
        if (timeout == Duration.ZERO) return usable(permits, waits = false, hold)
        if (timeout.isInfinite()) return granted(usable(permits, waits = true, hold))
        prepare()
        val since = now()
        val permit = time.granted(timeout, ::giveBack) { usable(permits, waits = true, hold) }
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
        hold: Hold,
    ): P? {
        // Nobody looks at the clock for observers who are not there.
        val since = if (observers.isEmpty) UNOBSERVED else now()
        try {
            while (true) {
                val permit =
                    if (bounds == null) {
                        request(permits, waits, hold)
                    } else {
                        bounds.within(subject, waits) { request(permits, waits, hold) }
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
        const val MAX_LISTED: Int = 10_000
        private const val UNOBSERVED = Long.MIN_VALUE
    }
}
