package io.signalbox.micrometer.java;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.signalbox.java.timers.Timers;
import io.signalbox.java.timers.Topic;
import io.signalbox.micrometer.internal.ForJava;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * Measures a service of timers: how late handlers begin, how long they run, how often they fail, and what is pending.
 *
 * <pre>{@code
 * TimersMetrics.of(timers, REMINDERS, INVOICES).bindTo(registry);
 * }</pre>
 *
 * <p>The meters are those of {@link io.signalbox.micrometer.TimersMetrics}. What happened before binding is not counted. All methods are safe to use from any thread.
 */
public final class TimersMetrics implements MeterBinder, AutoCloseable {
    private final io.signalbox.micrometer.TimersMetrics metrics;

    private TimersMetrics(Builder builder) {
        metrics =
                ForJava.metrics(builder.timers, builder.topics, builder.tags, builder.pendingEvery, builder.histograms);
    }

    /**
     * The metrics of a service of timers, with all defaults.
     *
     * @param timers made by {@code Timers.create()}
     * @param topics whose pending timers are to be counted; each must be known to the service
     * @return what is to be bound to a registry
     */
    public static TimersMetrics of(Timers timers, Topic<?>... topics) {
        return builder(timers).pending(topics).build();
    }

    /**
     * The metrics of a service of timers, with settings.
     *
     * @param timers made by {@code Timers.create()}
     * @return collects the settings
     */
    public static Builder builder(Timers timers) {
        return new Builder(timers);
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

    /** Stops measuring, and removes the meters from their registries. Idempotent. The timers go on. */
    @Override
    public void close() {
        metrics.close();
    }

    /** Collects settings. */
    public static final class Builder {
        private final Timers timers;
        private final List<String> topics = new ArrayList<>();
        private Iterable<Tag> tags = List.of();
        private Duration pendingEvery = Duration.ofSeconds(30);
        private boolean histograms = true;

        private Builder(Timers timers) {
            this.timers = Objects.requireNonNull(timers, "timers");
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
         * Counts what is pending of these topics.
         *
         * @param topics each must be known to the service
         * @return this builder
         */
        public Builder pending(Topic<?>... topics) {
            for (var topic : topics) this.topics.add(topic.name());
            return this;
        }

        /**
         * How often the topics are asked how many timers are pending, a round trip each.
         *
         * @param pendingEvery 1 s or more, 30 s by default; {@link java.time.temporal.ChronoUnit#FOREVER} for never
         * @return this builder
         */
        public Builder pendingEvery(Duration pendingEvery) {
            this.pendingEvery = Objects.requireNonNull(pendingEvery, "pendingEvery");
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
        public TimersMetrics build() {
            return new TimersMetrics(this);
        }
    }
}
