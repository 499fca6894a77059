package io.signalbox.java;

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
     * @param waited the time since it was asked for
     */
    record Granted(Kind kind, String name, long fencingToken, int permits, Duration waited) implements Observation {}

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
     * A permit was lost before it was released: its lease could not be renewed, its max hold passed, or the client was closed.
     *
     * @param kind what it is
     * @param name its name
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant held
     * @param held the time since the grant was heard of
     */
    record Lost(Kind kind, String name, long fencingToken, int permits, Duration held) implements Observation {}

    /**
     * A connection was lost and is there again.
     *
     * @param blocking whether it is the one that collects announcements, else the one for commands
     */
    record Reconnected(boolean blocking) implements Observation {}
}
