package io.signalbox.timers

import java.time.Instant

/** What a handler knows of the timer it handles, besides the payload. */
public class TimerScope<out C> internal constructor(
    /** What was given to [Timers] when it was made. */
    public val context: C,
    /** The timer's topic. */
    public val topic: String,
    /** The timer's id within its topic. */
    public val id: String,
    /**
     * When it was due at first, by the server's clock. Retries do not change it; each occurrence of a recurring timer has its own. If it
     * was
     * told to [run now][Timers.runNow], when it was taken.
     */
    public val due: Instant,
    /** 1 for the first time this timer is handled, more after failures and after deaths of workers. */
    public val attempt: Int,
    /**
     * Larger for every later claim of the same timer. Whoever keeps the largest one seen can tell a handler that was overtaken, because
     * its process was frozen for longer than its claim lasted.
     */
    public val fencingToken: Long,
    /** What was given beside the payload, see [TimerMetadata]. */
    public val metadata: Map<String, String>,
) {
    override fun toString(): String = "timer '$id' of topic '$topic', due $due, attempt $attempt"
}
