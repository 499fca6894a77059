package io.signalbox.timers

import io.signalbox.Semaphore
import io.signalbox.internal.coordination.roundUp
import io.signalbox.timers.internal.Limits
import kotlin.math.pow
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** How timers of one topic are handled by this process. */
public class TopicSettings internal constructor() {
    /**
     * How often a timer is handled before it is given up as dead; 1 means no retry. Counted when a worker takes the timer, so a timer that
     * kills its workers is given up as well.
     */
    public var attempts: Int = 5

    /** How long after the first failure the timer comes again; zero or more. */
    public var backoff: Duration = 1.seconds

    /** What the pause is multiplied by with every further failure; 1 or more. */
    public var backoffFactor: Double = 2.0

    /** The longest pause, at least [backoff]; by default 5 minutes, or [backoff] if that is longer. */
    public var maxBackoff: Duration
        get() = longestPause ?: maxOf(5.minutes, backoff)
        set(value) {
            longestPause = value
        }
    private var longestPause: Duration? = null

    /** By which share each pause is varied at random, up or down, so that what failed together does not come again together; 0 to 1. */
    public var backoffJitter: Double = 0.2

    /**
     * How long a handler may run; infinite for no limit. After it the handler is cancelled and the attempt has failed. If it ignores the
     * cancellation, its timer and its place are free nevertheless. After a tenth of it, or a minute if there is no limit, a warning names
     * the
     * timer.
     *
     * The default is long because a handler that is cut off half-way does more harm than one that takes its time: set it to a few times of
     * what
     * your handlers take, since handlers that hang keep their places until then.
     */
    public var timeout: Duration = 10.minutes

    /** How many handlers of this topic run at a time in this process, within [TimersSettings.concurrency]; 1 or more. */
    public var concurrency: Int = Int.MAX_VALUE

    /**
     * Limits the handlers of this topic across all processes: each runs under a permit of this semaphore. A worker takes no timer before it
     * has the permit for it, so what waits for permits keeps nothing else waiting.
     */
    public var semaphore: Semaphore? = null

    internal fun check(topic: String) {
        require(attempts >= 1) { "attempts of topic '$topic' must be at least 1, but was $attempts." }
        require(backoff >= Duration.ZERO && backoff <= Limits.LONGEST) {
            "backoff of topic '$topic' must be zero or more and at most ${Limits.LONGEST}, but was $backoff."
        }
        require(maxBackoff >= backoff && maxBackoff <= Limits.LONGEST) {
            "maxBackoff of topic '$topic' must be at least its backoff, which is $backoff, and at most ${Limits.LONGEST}, but was " +
                "$maxBackoff."
        }
        require(backoffFactor >= 1 && backoffFactor.isFinite()) {
            "backoffFactor of topic '$topic' must be at least 1, but was $backoffFactor."
        }
        require(backoffJitter in 0.0..1.0) { "backoffJitter of topic '$topic' must be 0 to 1, but was $backoffJitter." }
        require(timeout >= 1.milliseconds) { "timeout of topic '$topic' must be at least 1 ms, but was $timeout." }
        require(concurrency >= 1) { "concurrency of topic '$topic' must be at least 1, but was $concurrency." }
    }

    /** The pause after the failure of the attempt number [attempt], which counts from 1. */
    internal fun pauseAfter(attempt: Int): Duration {
        val planned = minOf(maxBackoff, backoff * minOf(backoffFactor.pow(attempt - 1), MAX_FACTOR))
        return roundUp(planned * (1 + backoffJitter * Random.nextDouble(-1.0, 1.0))).milliseconds
    }

    private companion object {
        /** Keeps the product a number. */
        const val MAX_FACTOR = 1e9
    }
}
