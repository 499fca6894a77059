package io.signalbox.timers

import java.time.Instant
import kotlin.time.Duration

/** Something that happened to a timer in this process. */
public sealed class TimerEvent(
    /** The topic's name. */
    public val topic: String,
    /** The timer's id within its topic. */
    public val id: String,
    /** When it was due at first. */
    public val due: Instant,
    /** Which attempt it was, from 1 on. */
    public val attempt: Int,
) {
    override fun toString(): String = "${this::class.simpleName}(topic=$topic, id=$id, due=$due, attempt=$attempt)"

    /** A handler begins. */
    public class Fired internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
        /** How long after the moment it was due, or due again, by the server's clock. */
        public val lag: Duration,
    ) : TimerEvent(topic, id, due, attempt)

    /** A handler returned. */
    public class Succeeded internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
        /** How long it ran. */
        public val took: Duration,
    ) : TimerEvent(topic, id, due, attempt)

    /** A handler failed, and the timer comes again. */
    public class Retried internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
        /** After what pause. */
        public val after: Duration,
        /** What the handler threw. */
        public val cause: Throwable,
        /** How long the handler ran; `null` if it did not begin. */
        public val took: Duration?,
    ) : TimerEvent(topic, id, due, attempt)

    /** A payload could not be decoded. */
    public class Parked internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
        /** What the codec threw. */
        public val cause: Throwable,
    ) : TimerEvent(topic, id, due, attempt)

    /** A timer has used up its attempts. If it recurs, only this occurrence is given up. */
    public class Dead internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
        /** What its last handler threw; `null` if its last worker died. */
        public val cause: Throwable?,
        /** How long its last handler ran; `null` if it did not begin, or its worker died. */
        public val took: Duration?,
    ) : TimerEvent(topic, id, due, attempt)

    /**
     * A handler's outcome had no effect: its timer was set anew, cancelled or paused meanwhile, or the claim on it ended and another
     * worker has it.
     */
    public class Superseded internal constructor(
        topic: String,
        id: String,
        due: Instant,
        attempt: Int,
    ) : TimerEvent(topic, id, due, attempt)
}

/** Hears of every [TimerEvent] of a process, as a binding to metrics wants to. See [Timers.addListener] and [TimersSettings.listener]. */
public fun interface TimerListener {
    /** Called on a thread that has other things to do: must be quick. What it throws is logged. */
    public fun onEvent(event: TimerEvent)
}
