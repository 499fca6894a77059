package io.signalbox

import kotlin.time.Duration

/**
 * Hears what happens to one client, see [Signalbox.addListener]. What metrics and logs are built on.
 *
 * Called on threads of the library, in the middle of its work: return quickly, do not block. What a listener throws is logged and
 * otherwise ignored. Calls for one permit come in the order of what happened; calls for different permits may overlap.
 */
public interface SignalboxListener {
    /** Something was acquired: a permit of a semaphore, a mutex, or a signal of an event. */
    public fun onGranted(granted: Observation.Granted) {}

    /** A release was confirmed, or a signal consumed. */
    public fun onReleased(released: Observation.Released) {}

    /** A permit was lost before it was released. */
    public fun onLost(lost: Observation.Lost) {}

    /** An acquire has waited in vain: its time limit passed while others held. */
    public fun onTimedOut(timedOut: Observation.TimedOut) {}

    /** An acquire was refused, or failed, without a time limit having passed. */
    public fun onRefused(refused: Observation.Refused) {}

    /** A permit is held for longer than [SignalboxSettings.holdWarning]; told once. Whoever has it may have forgotten to release it. */
    public fun onHeldLong(heldLong: Observation.HeldLong) {}

    /** The store has answered an exchange. There are very many of these: they are not among [Signalbox.observations]. */
    public fun onExchanged(exchanged: Exchanged) {}

    /** A connection was lost. */
    public fun onDisconnected(disconnected: Observation.Disconnected) {}

    /** A connection that had been lost is there again. */
    public fun onReconnected(reconnected: Observation.Reconnected) {}
}

/** What happens to a client; see [Signalbox.observations]. */
public sealed interface Observation {
    /** What something is that a client holds. */
    public enum class Kind { SEMAPHORE, MUTEX, EVENT }

    /** Why an acquire was refused. */
    public enum class Refusal {
        /** A try: others hold, or wait before it. */
        TAKEN,

        /** More permits than there are. */
        IMPOSSIBLE,

        /** As many wait as may, see [SemaphoreSettings.maxWaiters] and [SignalboxSettings.maxWaiters]. */
        TOO_MANY_WAITERS,

        /** The store did not answer, refused, or has a semaphore of that name that was declared differently. */
        UNAVAILABLE,
    }

    /**
     * [waited] is the time since it was asked for: the time in the queue and a round trip. [queued] says whether it had to wait for others.
     */
    public class Granted internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val waited: Duration,
        public val queued: Boolean,
    ) : Observation {
        override fun toString(): String =
            "Granted(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, waited=$waited, queued=$queued)"
    }

    /** An acquire of [permits] permits, or a wait for a signal, ended after [waited] because its time limit passed while others held. */
    public class TimedOut internal constructor(
        public val kind: Kind,
        public val name: String,
        public val permits: Int,
        public val waited: Duration,
    ) : Observation {
        override fun toString(): String = "TimedOut(kind=$kind, name=$name, permits=$permits, waited=$waited)"
    }

    /** An acquire of [permits] permits was refused, or failed, for [reason], [waited] after it was asked for. */
    public class Refused internal constructor(
        public val kind: Kind,
        public val name: String,
        public val permits: Int,
        public val reason: Refusal,
        public val waited: Duration,
    ) : Observation {
        override fun toString(): String = "Refused(kind=$kind, name=$name, permits=$permits, reason=$reason, waited=$waited)"
    }

    /** A permit has been held for longer than [SignalboxSettings.holdWarning], and still is. */
    public class HeldLong internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val held: Duration,
    ) : Observation {
        override fun toString(): String = "HeldLong(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, held=$held)"
    }

    /** [held] is the time since the grant was heard of. */
    public class Released internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val held: Duration,
    ) : Observation {
        override fun toString(): String = "Released(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, held=$held)"
    }

    /** A permit was lost, for [reason]. */
    public class Lost internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val held: Duration,
        public val reason: LossReason,
    ) : Observation {
        override fun toString(): String =
            "Lost(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, held=$held, reason=$reason)"
    }

    /** The command connection, or with [blocking] the one that collects announcements, was lost; it is being replaced. */
    public class Disconnected internal constructor(
        public val blocking: Boolean,
    ) : Observation {
        override fun toString(): String = "Disconnected(blocking=$blocking)"
    }

    /** The command connection, or with [blocking] the one that collects announcements, was lost and is there again. */
    public class Reconnected internal constructor(
        public val blocking: Boolean,
    ) : Observation {
        override fun toString(): String = "Reconnected(blocking=$blocking)"
    }
}
