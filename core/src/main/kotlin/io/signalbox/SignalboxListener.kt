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

    /** A connection that had been lost is there again. */
    public fun onReconnected(reconnected: Observation.Reconnected) {}
}

/** What happens to a client; see [Signalbox.observations]. */
public sealed interface Observation {
    /** What something is that a client holds. */
    public enum class Kind { SEMAPHORE, MUTEX, EVENT }

    /** [waited] is the time since it was asked for. */
    public class Granted internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val waited: Duration,
    ) : Observation {
        override fun toString(): String =
            "Granted(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, waited=$waited)"
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

    /** A permit was lost: its lease could not be renewed, its max hold passed, or the client was closed. */
    public class Lost internal constructor(
        public val kind: Kind,
        public val name: String,
        public val fencingToken: Long,
        public val permits: Int,
        public val held: Duration,
    ) : Observation {
        override fun toString(): String = "Lost(kind=$kind, name=$name, fencingToken=$fencingToken, permits=$permits, held=$held)"
    }

    /** The command connection, or with [blocking] the one that collects announcements, was lost and is there again. */
    public class Reconnected internal constructor(
        public val blocking: Boolean,
    ) : Observation {
        override fun toString(): String = "Reconnected(blocking=$blocking)"
    }
}
