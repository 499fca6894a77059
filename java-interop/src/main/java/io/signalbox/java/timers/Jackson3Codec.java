package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;
import java.io.IOException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JavaType;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Payloads as JSON, by Jackson 3: needs {@code tools.jackson.core:jackson-databind} on the class path, which this library does not bring.
 *
 * @param <T> the type of payloads
 */
public final class Jackson3Codec<T> implements TimerCodec<T> {
    private final ObjectMapper mapper;
    private final JavaType type;

    private Jackson3Codec(ObjectMapper mapper, JavaType type) {
        this.mapper = mapper;
        this.type = type;
    }

    /**
     * A codec that ignores properties it does not know, so that an older worker can handle what a newer one has scheduled. Moments keep their zones and
     * offsets.
     *
     * @param <T> the type of payloads
     * @param type a class, or record
     * @return a new codec
     * @throws IllegalStateException if Jackson is not on the class path
     */
    public static <T> TimerCodec<T> of(Class<T> type) {
        JacksonVersions.require3();
        return of(Defaults.mapper(), Nulls.given(type, "type"));
    }

    /**
     * The same for a generic type: {@code Jackson3Codec.of(new TypeReference<List<Order>>() {})}.
     *
     * @param <T> the type of payloads
     * @param type a reference to the type
     * @return a new codec
     */
    public static <T> TimerCodec<T> of(TypeReference<T> type) {
        return of(Defaults.mapper(), Nulls.given(type, "type"));
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
        return new Jackson3Codec<>(mapper, Nulls.given(mapper, "mapper").constructType(Nulls.given(type, "type")));
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
        return new Jackson3Codec<>(mapper, Nulls.given(mapper, "mapper").constructType(Nulls.given(type, "type")));
    }

    /** Apart, so that the codec can say what is missing: a class that makes a mapper is not even loaded where there is none. */
    private static final class Defaults {
        static ObjectMapper mapper() {
            return JsonMapper.builder()
                    .findAndAddModules()
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    // Otherwise what is read is in UTC, whatever was written.
                    .disable(DateTimeFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
                    .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
                    .enable(DateTimeFeature.WRITE_DATES_WITH_ZONE_ID)
                    .build();
        }
    }

    @Override
    public byte[] encode(T payload) {
        return mapper.writerFor(type).writeValueAsBytes(payload);
    }

    @Override
    public T decode(byte[] bytes) throws IOException {
        T payload = mapper.readValue(bytes, type);
        if (payload == null) throw new IOException("The payload is null.");
        return payload;
    }
}
