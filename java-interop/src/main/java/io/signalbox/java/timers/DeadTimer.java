package io.signalbox.java.timers;

import java.time.Instant;

/**
 * A timer that will not be handled until somebody does something about it. Made by the library, not to be implemented.
 */
public interface DeadTimer {
    /** Why a timer is not handled. */
    enum Kind {
        /** It has used up its attempts. */
        DEAD,
        /** Its payload could not be decoded. */
        UNDECODABLE,
        /** It is due, and no worker handles its topic. It needs no requeueing: it is taken as soon as one does. */
        UNKNOWN_TOPIC,
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
     * When it was due.
     *
     * @return by the server's clock
     */
    Instant due();

    /**
     * Since when it is here.
     *
     * @return by the server's clock
     */
    Instant since();

    /**
     * How often it was taken by a worker.
     *
     * @return 0 or more
     */
    int attempts();

    /**
     * The kind of problem.
     *
     * @return the kind
     */
    Kind kind();

    /**
     * The problem in words.
     *
     * @return the words
     */
    String reason();

    /**
     * The stored payload as it is.
     *
     * @return a copy
     */
    byte[] rawPayload();
}
