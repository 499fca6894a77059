package io.signalbox.micrometer.java;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.signalbox.java.Observation;
import io.signalbox.java.Signalbox;
import io.signalbox.micrometer.internal.ForJava;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Measures one client: how long acquires wait and permits are held, what is refused, timed out and lost, and what semaphores are used for.
 *
 * <pre>{@code
 * SignalboxMetrics.of(signalbox).bindTo(registry);
 * }</pre>
 *
 * <p>Bind it before the client is used: what happened before is not counted. Costs some counters per acquire, no round trip, and now and then
 * {@linkplain Builder#statisticsEvery statistics}. The meters are those of {@link io.signalbox.micrometer.SignalboxMetrics}. Under Spring Boot a bean of this type
 * is bound to the registry by itself. All methods are safe to use from any thread.
 */
public final class SignalboxMetrics implements MeterBinder, AutoCloseable {
    /** The value of the tag {@code name} for all that have none of their own. */
    public static final String OTHER = "other";

    private final io.signalbox.micrometer.SignalboxMetrics metrics;

    private SignalboxMetrics(Builder builder) {
        metrics = ForJava.metrics(
                builder.signalbox,
                builder.tags,
                builder.nameTag,
                builder.maxNames,
                builder.statisticsEvery,
                builder.histograms);
    }

    /**
     * The metrics of a client, with all defaults.
     *
     * @param signalbox made by {@code Signalbox.connect()} or {@code inMemory()}
     * @return what is to be bound to a registry
     */
    public static SignalboxMetrics of(Signalbox signalbox) {
        return builder(signalbox).build();
    }

    /**
     * The metrics of a client, with settings.
     *
     * @param signalbox made by {@code Signalbox.connect()} or {@code inMemory()}
     * @return collects the settings
     */
    public static Builder builder(Signalbox signalbox) {
        return new Builder(signalbox);
    }

    /**
     * Adds the meters to a registry; may be called for several.
     *
     * @param registry where they go
     * @throws IllegalStateException if this was closed, or Micrometer is older than 1.16
     */
    @Override
    public void bindTo(MeterRegistry registry) {
        metrics.bindTo(registry);
    }

    /** Stops measuring, and removes the meters from their registries. Idempotent. The client stays open. */
    @Override
    public void close() {
        metrics.close();
    }

    /** Collects settings. */
    public static final class Builder {
        private final Signalbox signalbox;
        private Iterable<Tag> tags = List.of();
        private @Nullable BiFunction<Observation.Kind, String, @Nullable String> nameTag;
        private int maxNames = 100;
        private Duration statisticsEvery = Duration.ofSeconds(30);
        private boolean histograms = true;

        private Builder(Signalbox signalbox) {
            this.signalbox = Objects.requireNonNull(signalbox, "signalbox");
        }

        /**
         * Tags for every meter, beside its own.
         *
         * @param tags none by default
         * @return this builder
         */
        public Builder tags(Iterable<Tag> tags) {
            this.tags = Objects.requireNonNull(tags, "tags");
            return this;
        }

        /**
         * What the tag {@code name} says of something with a name. By default semaphores are named, mutexes and events are not: those are often made
         * for one order or tenant each, and every name is a time series of its own, for ever.
         *
         * @param nameTag returns {@code null} for {@link SignalboxMetrics#OTHER}
         * @return this builder
         */
        public Builder nameTag(BiFunction<Observation.Kind, String, @Nullable String> nameTag) {
            this.nameTag = Objects.requireNonNull(nameTag, "nameTag");
            return this;
        }

        /**
         * How many values the tag {@code name} has at most, over all kinds; what comes later is {@link SignalboxMetrics#OTHER}.
         *
         * @param maxNames 0 to 10 000, 100 by default
         * @return this builder
         */
        public Builder maxNames(int maxNames) {
            this.maxNames = maxNames;
            return this;
        }

        /**
         * How often the semaphores of the namespace are asked for what all clients hold and wait for: two round trips and one more per 64 semaphores.
         *
         * @param statisticsEvery 1 s or more, 30 s by default; {@link java.time.temporal.ChronoUnit#FOREVER} for never
         * @return this builder
         */
        public Builder statisticsEvery(Duration statisticsEvery) {
            this.statisticsEvery = Objects.requireNonNull(statisticsEvery, "statisticsEvery");
            return this;
        }

        /**
         * Whether times are published as histograms that several processes can be added up over, as percentiles cannot.
         *
         * @param histograms true by default
         * @return this builder
         */
        public Builder histograms(boolean histograms) {
            this.histograms = histograms;
            return this;
        }

        /**
         * The metrics with these settings.
         *
         * @return what is to be bound to a registry
         * @throws IllegalArgumentException if a setting is out of range
         */
        public SignalboxMetrics build() {
            return new SignalboxMetrics(this);
        }
    }
}
