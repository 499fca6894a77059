package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A timer that is to be set, alone or with others. Immutable.
 *
 * @param <T> the type of payloads
 */
public final class NewTimer<T> {
    private final String id;
    private final T payload;
    private final @Nullable Duration after;
    private final @Nullable Instant at;
    private final Map<String, String> metadata;

    private NewTimer(
            String id, T payload, @Nullable Duration after, @Nullable Instant at, Map<String, String> metadata) {
        this.id = Nulls.given(id, "id");
        this.payload = Nulls.given(payload, "payload");
        this.after = after;
        this.at = at;
        this.metadata = Map.copyOf(Nulls.allGiven(metadata, "metadata"));
    }

    /**
     * Due some time from the moment at which the server gets it.
     *
     * @param <T> the type of payloads
     * @param id its id within its topic
     * @param payload what its handler is to get
     * @param after zero is due at once
     * @return a timer to be set
     */
    public static <T> NewTimer<T> after(String id, T payload, Duration after) {
        return new NewTimer<>(id, payload, Nulls.given(after, "after"), null, Map.of());
    }

    /**
     * Due at a moment of the server's clock.
     *
     * @param <T> the type of payloads
     * @param id its id within its topic
     * @param payload what its handler is to get
     * @param at at once if that has passed
     * @return a timer to be set
     */
    public static <T> NewTimer<T> at(String id, T payload, Instant at) {
        return new NewTimer<>(id, payload, null, Nulls.given(at, "at"), Map.of());
    }

    /**
     * Its id.
     *
     * @return the id within its topic
     */
    public String id() {
        return id;
    }

    /**
     * What its handler is to get.
     *
     * @return the payload
     */
    public T payload() {
        return payload;
    }

    /**
     * After what time it is due.
     *
     * @return what was given, or empty if a moment was
     */
    public Optional<Duration> after() {
        return Optional.ofNullable(after);
    }

    /**
     * At what moment it is due.
     *
     * @return what was given, or empty if a time was
     */
    public Optional<Instant> at() {
        return Optional.ofNullable(at);
    }

    /**
     * The same with metadata, which travel beside the payload: a trace, a tenant, a correlation id.
     *
     * @param metadata at most 64 entries; keys not blank; no control characters and lone surrogates; 8 KiB in all
     * @return another timer to be set
     */
    public NewTimer<T> metadata(Map<String, String> metadata) {
        return new NewTimer<>(id, payload, after, at, metadata);
    }

    /**
     * What travels beside the payload.
     *
     * @return what was given, or nothing
     */
    public Map<String, String> metadata() {
        return metadata;
    }
}
