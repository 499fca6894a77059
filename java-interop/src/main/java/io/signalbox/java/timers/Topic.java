package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;

/**
 * A kind of timer: a name that all processes agree on, and the type of what its timers carry.
 *
 * @param <T> the type of payloads
 * @param name what it is called in the store: not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates, which is
 *     checked when it is used
 * @param codec how payloads are stored
 */
public record Topic<T>(String name, TimerCodec<T> codec) {
    /**
     * Makes a topic.
     *
     * @param name what it is called in the store
     * @param codec how payloads are stored
     */
    public Topic {
        Nulls.given(name, "name");
        Nulls.given(codec, "codec");
    }

    /**
     * Makes a topic.
     *
     * @param <T> the type of payloads
     * @param name what it is called in the store
     * @param codec how payloads are stored
     * @return a new topic
     */
    public static <T> Topic<T> of(String name, TimerCodec<T> codec) {
        return new Topic<>(name, codec);
    }

    @Override
    public String toString() {
        return "topic '" + name + "'";
    }
}
