package io.signalbox.java;

import io.signalbox.LossReason;
import java.time.Duration;

/** What happens to a client; see {@link Signalbox#observations()}. */
public sealed interface Observation {
    /** What something is that a client holds. */
    enum Kind {
        /** A permit of a semaphore. */
        SEMAPHORE,
        /** A mutex. */
        MUTEX,
        /** A signal of an event. */
        EVENT,
    }

    /**
     * Something was acquired: a permit of a semaphore, a mutex, or a signal of an event.
     *
     * @param kind what it is
     * @param name its name
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant holds
     * @param waited the time since it was asked for: the time in the queue and a round trip
     * @param queued whether it had to wait for others
     */
    record Granted(Kind kind, String name, long fencingToken, int permits, Duration waited, boolean queued)
            implements Observation {}

    /**
     * An acquire, or a wait for a signal, ended because its time limit passed while others held.
     *
     * @param kind what it is
     * @param name its name
     * @param permits how many permits were asked for
     * @param waited the time since it was asked for
     */
    record TimedOut(Kind kind, String name, int permits, Duration waited) implements Observation {}

    /** Why an acquire was refused. */
    enum Refusal {
        /** A try: others hold, or wait before it. */
        TAKEN,
        /** More permits than there are. */
        IMPOSSIBLE,
        /** As many wait as may. */
        TOO_MANY_WAITERS,
        /** The store did not answer, refused, or has a semaphore of that name that was declared differently. */
        UNAVAILABLE,
    }

    /**
     * An acquire was refused, or failed.
     *
     * @param kind what it is
     * @param name its name
     * @param permits how many permits were asked for
     * @param reason why
     * @param waited the time since it was asked for
     */
    record Refused(Kind kind, String name, int permits, Refusal reason, Duration waited) implements Observation {}

    /**
     * A permit has been held for longer than {@link SignalboxOptions.Builder#holdWarning(Duration)}, and still is.
     *
     * @param kind what it is
     * @param name its name
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant holds
     * @param held the time since the grant was heard of
     */
    record HeldLong(Kind kind, String name, long fencingToken, int permits, Duration held) implements Observation {}

    /**
     * A release was confirmed, or a signal consumed.
     *
     * @param kind what it is
     * @param name its name
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant held
     * @param held the time since the grant was heard of
     */
    record Released(Kind kind, String name, long fencingToken, int permits, Duration held) implements Observation {}

    /**
     * A permit was lost before it was released.
     *
     * @param kind what it is
     * @param name its name
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant held
     * @param held the time since the grant was heard of
     * @param reason why
     */
    record Lost(Kind kind, String name, long fencingToken, int permits, Duration held, LossReason reason)
            implements Observation {}

    /**
     * A connection was lost; it is being replaced.
     *
     * @param blocking whether it is the one that collects announcements, else the one for commands
     */
    record Disconnected(boolean blocking) implements Observation {}

    /**
     * A connection was lost and is there again.
     *
     * @param blocking whether it is the one that collects announcements, else the one for commands
     */
    record Reconnected(boolean blocking) implements Observation {}
}
