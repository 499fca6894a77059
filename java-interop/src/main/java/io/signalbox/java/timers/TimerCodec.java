package io.signalbox.java.timers;

import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * How payloads are turned into bytes and back. Must be safe to use from several threads. {@link JacksonCodec} is one for Java types.
 *
 * @param <T> the type of payloads
 */
public interface TimerCodec<T> {
    /**
     * Encodes a payload. The first payload of each class that a process schedules is decoded again, to find out in time that it can be.
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
     * Text, as UTF-8. Half a character, a lone surrogate, is refused.
     *
     * @return the same object each time
     */
    static TimerCodec<String> text() {
        return TextCodec.INSTANCE;
    }

    /**
     * Payloads as they are stored: to list, look at and cancel what is stored under a topic that the code has dropped.
     *
     * @return the same object each time
     */
    static TimerCodec<byte[]> bytes() {
        return BytesCodec.INSTANCE;
    }
}

/** Text, as UTF-8. */
enum TextCodec implements TimerCodec<String> {
    INSTANCE;

    @Override
    public byte[] encode(String payload) {
        try {
            var bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(payload));
            return Arrays.copyOf(bytes.array(), bytes.limit());
        } catch (CharacterCodingException problem) {
            throw new IllegalArgumentException(
                    "The payload contains a lone surrogate, half of a character: UTF-8 cannot say it, and it would come back as another one. "
                            + "Was a text cut in the middle of a character?",
                    problem);
        }
    }

    @Override
    public String decode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}

/** Bytes as they are. */
enum BytesCodec implements TimerCodec<byte[]> {
    INSTANCE;

    @Override
    public byte[] encode(byte[] payload) {
        return payload.clone();
    }

    @Override
    public byte[] decode(byte[] bytes) {
        return bytes.clone();
    }
}
