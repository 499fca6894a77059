package io.signalbox.java.timers;

import java.nio.charset.StandardCharsets;

/**
 * How payloads are turned into bytes and back. Must be safe to use from several threads. {@link JacksonCodec} is one for Java types.
 *
 * @param <T> the type of payloads
 */
public interface TimerCodec<T> {
    /**
     * Encodes a payload.
     *
     * @param payload what a timer is to carry
     * @return what is stored
     * @throws Exception if it cannot be encoded; nothing is scheduled then
     */
    byte[] encode(T payload) throws Exception;

    /**
     * Decodes a payload.
     *
     * @param bytes what is stored
     * @return what the handler gets
     * @throws Exception if this is no payload of this type; the timer is parked then
     */
    T decode(byte[] bytes) throws Exception;

    /**
     * Text, as UTF-8.
     *
     * @return the same object each time
     */
    static TimerCodec<String> text() {
        return TextCodec.INSTANCE;
    }
}

/** Text, as UTF-8. */
enum TextCodec implements TimerCodec<String> {
    INSTANCE;

    @Override
    public byte[] encode(String payload) {
        return payload.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public String decode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
