package io.signalbox.java.timers;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;

/**
 * Payloads as JSON, by Jackson 2: needs {@code com.fasterxml.jackson.core:jackson-databind} on the class path, which this library does not bring.
 *
 * @param <T> the type of payloads
 */
public final class JacksonCodec<T> implements TimerCodec<T> {
    private final ObjectMapper mapper;
    private final JavaType type;

    private JacksonCodec(ObjectMapper mapper, JavaType type) {
        this.mapper = mapper;
        this.type = type;
    }

    /**
     * A codec that ignores properties it does not know, so that an older worker can handle what a newer one has scheduled.
     *
     * @param <T> the type of payloads
     * @param type a class, or record
     * @return a new codec
     */
    public static <T> TimerCodec<T> of(Class<T> type) {
        return of(
                JsonMapper.builder()
                        .findAndAddModules()
                        .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                        .build(),
                type);
    }

    /**
     * A codec with a mapper of your own.
     *
     * @param <T> the type of payloads
     * @param mapper how to read and write
     * @param type a class, or record
     * @return a new codec
     */
    public static <T> TimerCodec<T> of(ObjectMapper mapper, Class<T> type) {
        return new JacksonCodec<>(mapper, mapper.constructType(type));
    }

    @Override
    public byte[] encode(T payload) throws IOException {
        return mapper.writerFor(type).writeValueAsBytes(payload);
    }

    @Override
    public T decode(byte[] bytes) throws IOException {
        T payload = mapper.readValue(bytes, type);
        if (payload == null) throw new IOException("The payload is null.");
        return payload;
    }
}
