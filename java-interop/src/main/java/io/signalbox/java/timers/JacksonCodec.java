package io.signalbox.java.timers;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.signalbox.java.internal.Nulls;
import java.io.IOException;

/**
 * Payloads as JSON, by Jackson 2: needs {@code com.fasterxml.jackson.core:jackson-databind} on the class path, which this library does not bring, and for
 * types of {@code java.time} {@code com.fasterxml.jackson.datatype:jackson-datatype-jsr310}. {@link Jackson3Codec} is the same for Jackson 3.
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
     * A codec that ignores properties it does not know, so that an older worker can handle what a newer one has scheduled. Moments keep their zones and
     * offsets. Finds the modules on the class path. Where only Jackson 3 is there, it is used.
     *
     * @param <T> the type of payloads
     * @param type a class, or record
     * @return a new codec
     * @throws IllegalStateException if Jackson is not on the class path
     */
    public static <T> TimerCodec<T> of(Class<T> type) {
        if (!JacksonVersions.has2()) return Jackson3Codec.of(Nulls.given(type, "type"));
        return of(defaults(), Nulls.given(type, "type"));
    }

    /**
     * The same for a generic type: {@code JacksonCodec.of(new TypeReference<List<Order>>() {})}.
     *
     * @param <T> the type of payloads
     * @param type a reference to the type
     * @return a new codec
     */
    public static <T> TimerCodec<T> of(TypeReference<T> type) {
        return of(defaults(), Nulls.given(type, "type"));
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
        return new JacksonCodec<>(mapper, Nulls.given(mapper, "mapper").constructType(Nulls.given(type, "type")));
    }

    /**
     * A codec with a mapper of your own, for a generic type.
     *
     * @param <T> the type of payloads
     * @param mapper how to read and write
     * @param type a reference to the type
     * @return a new codec
     */
    public static <T> TimerCodec<T> of(ObjectMapper mapper, TypeReference<T> type) {
        return new JacksonCodec<>(mapper, Nulls.given(mapper, "mapper").constructType(Nulls.given(type, "type")));
    }

    private static ObjectMapper defaults() {
        return JsonMapper.builder()
                .findAndAddModules()
                .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                // Otherwise what is read is in UTC, whatever was written.
                .disable(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
                .enable(SerializationFeature.WRITE_DATES_WITH_ZONE_ID)
                .build();
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
