package io.signalbox.java.timers;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * A timer as it is stored. Made by the library, not to be implemented.
 *
 * @param <T> the type of payloads
 */
public interface Timer<T> {
    /** Where a timer is in its life. */
    enum State {
        /** Not due yet, or due and not taken yet. */
        WAITING,
        /** A worker has taken it. */
        HANDLING,
        /** It was taken off the timeline by pausing it. */
        PAUSED,
        /** It will not be handled until somebody does something about it. */
        DEAD,
    }

    /**
     * The topic's name.
     *
     * @return the name
     */
    String topic();

    /**
     * Its id within its topic.
     *
     * @return the id
     */
    String id();

    /**
     * When it is due, or was when it was first taken.
     *
     * @return by the server's clock
     */
    Instant due();

    /**
     * When something is next to happen to it: it is due, comes again, or its worker's claim ends unless renewed.
     *
     * @return by the server's clock
     */
    Instant next();

    /**
     * How often it was taken by a worker.
     *
     * @return 0 or more
     */
    int attempts();

    /**
     * Where it is in its life.
     *
     * @return the state
     */
    State state();

    /**
     * How it comes again and again.
     *
     * @return empty if it fires once
     */
    Optional<Recurrence> recurrence();

    /**
     * What was given beside the payload.
     *
     * @return entries, or none
     */
    Map<String, String> metadata();

    /**
     * What its handler gets. Throws what the topic's codec throws if it cannot be decoded.
     *
     * @return the payload
     */
    T payload();
}
