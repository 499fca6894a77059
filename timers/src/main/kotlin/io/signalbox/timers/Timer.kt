package io.signalbox.timers

import java.time.Instant
import kotlin.time.Duration

/** A timer that is to be set, for [Timers.scheduleAll]. */
public class NewTimer<out T> private constructor(
    /** Its id within its topic. */
    public val id: String,
    /** What its handler is to get. */
    public val payload: T,
    internal val after: Duration?,
    internal val at: Instant?,
    /** What travels beside the payload, see [TimerMetadata]. */
    public val metadata: Map<String, String>,
) {
    /** Due [after] from the moment at which the server gets it. */
    public constructor(
        id: String,
        payload: T,
        after: Duration,
        metadata: Map<String, String> = emptyMap(),
    ) : this(id, payload, after, null, metadata)

    /** Due at [at], by the server's clock; at once if that has passed. */
    public constructor(
        id: String,
        payload: T,
        at: Instant,
        metadata: Map<String, String> = emptyMap(),
    ) : this(id, payload, null, at, metadata)
}

/** A timer as it is stored. */
public class Timer<out T> internal constructor(
    /** The topic's name. */
    public val topic: String,
    /** Its id within its topic. */
    public val id: String,
    /** When it is due, or was when it was first taken. */
    public val due: Instant,
    /** When something is next to happen to it: it is due, comes again, or its worker's claim ends unless renewed. */
    public val next: Instant,
    /** How often it was taken by a worker. */
    public val attempts: Int,
    /** Whether it waits, is being handled, or is paused. */
    public val state: State,
    /** How it comes again and again, or `null` if it fires once. */
    public val recurrence: Recurrence?,
    /** What was given beside the payload, see [TimerMetadata]. */
    public val metadata: Map<String, String>,
    private val decoded: Lazy<T>,
) {
    /** What its handler gets. Throws what the topic's codec throws if it cannot be decoded. */
    public val payload: T get() = decoded.value

    override fun toString(): String = "Timer(topic=$topic, id=$id, due=$due, state=$state, attempts=$attempts)"

    /** Where a timer is in its life. */
    public enum class State {
        /** Not due yet, or due and not taken yet. */
        WAITING,

        /** A worker has taken it. */
        HANDLING,

        /** [Timers.pause] has taken it off the timeline. */
        PAUSED,

        /** Off the timeline, see [Timers.deadTimers]. */
        DEAD,
    }
}

/** Some timers, and where the next ones begin. */
public class TimerPage<out T> internal constructor(
    /** In ascending order of [Timer.next], and where that is the same, in the order of [Timers.list]. */
    public val timers: List<Timer<T>>,
    /** To be given to the next call; `null` if there are no more. */
    public val next: String?,
)

/** A timer that will not be handled until somebody does something about it. */
public class DeadTimer internal constructor(
    /** The topic's name. */
    public val topic: String,
    /** Its id within its topic. */
    public val id: String,
    /** When it was due. */
    public val due: Instant,
    /** Since when it is here. */
    public val since: Instant,
    /** How often it was taken by a worker. */
    public val attempts: Int,
    /** The kind of problem. */
    public val kind: Kind,
    /** The problem in words. */
    public val reason: String,
    /** The stored payload as it is. */
    public val rawPayload: ByteArray,
) {
    override fun toString(): String = "DeadTimer(topic=$topic, id=$id, kind=$kind, due=$due, attempts=$attempts, reason=$reason)"

    /** Why a timer is not handled. */
    public enum class Kind {
        /** It has used up its attempts. */
        DEAD,

        /** It could not be decoded. A recurring timer is here only if its recurrence cannot be read. */
        UNDECODABLE,

        /** It is due, and no worker handles its topic. It needs no requeueing: it is taken as soon as one does. */
        UNKNOWN_TOPIC,
    }
}

/** Some dead timers, and where the next ones begin. */
public class DeadTimerPage internal constructor(
    /** In ascending order of [DeadTimer.since] and id within each topic; topics and ids by their bytes. */
    public val timers: List<DeadTimer>,
    /** To be given to the next call; `null` if there are no more. */
    public val next: String?,
)

/** What one pass over the ready timers did. */
public class HandledTimers internal constructor(
    /** How many handlers returned. */
    public val succeeded: Int,
    /** How many failed and will come again. */
    public val retried: Int,
    /** How many could not be decoded. */
    public val parked: Int,
    /** How many used up their attempts. */
    public val dead: Int,
) {
    /** How many timers were taken. */
    public val total: Int get() = succeeded + retried + parked + dead

    override fun toString(): String = "HandledTimers(succeeded=$succeeded, retried=$retried, parked=$parked, dead=$dead)"
}
