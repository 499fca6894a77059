package io.signalbox.java;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Options of one event handle. The first call for a name within a client decides; a later call with other options fails, because it would
 * get the same handle.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default.
 */
public final class EventOptions {
    private static final EventOptions DEFAULTS = builder().build();

    private final @Nullable Duration signalTtl;
    private final @Nullable Integer maxSignals;
    private final @Nullable Integer maxWaiters;

    private EventOptions(Builder builder) {
        maxWaiters = builder.maxWaiters;
        signalTtl = builder.signalTtl;
        maxSignals = builder.maxSignals;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static EventOptions defaults() {
        return DEFAULTS;
    }

    /**
     * Starts with all defaults.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * How long a signal that nobody awaits is kept.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> signalTtl() {
        return Optional.ofNullable(signalTtl);
    }

    /**
     * How many signals may be kept at most.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> maxSignals() {
        return Optional.ofNullable(maxSignals);
    }

    /**
     * How many may wait at a time.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> maxWaiters() {
        return Optional.ofNullable(maxWaiters);
    }

    @Override
    public String toString() {
        return "EventOptions[signalTtl=" + signalTtl + ", maxSignals=" + maxSignals + ", maxWaiters=" + maxWaiters
                + "]";
    }

    /** Collects event options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Duration signalTtl;
        private @Nullable Integer maxSignals;
        private @Nullable Integer maxWaiters;

        private Builder() {}

        /**
         * Limits how long a signal that nobody awaits is kept, by the server's clock, from the moment it was set. It is the setter's: clients may
         * differ. By default it is kept for ever.
         *
         * @param signalTtl 1 ms to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder signalTtl(Duration signalTtl) {
            this.signalTtl = Checks.within("signalTtl", signalTtl, Checks.MILLISECOND, Checks.LONGEST);
            return this;
        }

        /**
         * Limits how many signals {@link Event#set()} lets be kept. By default 100 000.
         *
         * @param maxSignals 1 to 1 000 000
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxSignals(int maxSignals) {
            this.maxSignals = Checks.within("maxSignals", maxSignals, 1, 1_000_000);
            return this;
        }

        /**
         * Limits how many acquires of this handle may wait at a time, in the queue or for the answer of the store; one more fails at once with {@code TooManyWaitersException}, so that
         * an overloaded service sheds load. One that will be granted at once counts until it is: choose more than are started at the same moment. By
         * default there is no limit.
         *
         * @param maxWaiters at least 1
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder maxWaiters(int maxWaiters) {
            this.maxWaiters = Checks.within("maxWaiters", maxWaiters, 1, Integer.MAX_VALUE);
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public EventOptions build() {
            return new EventOptions(this);
        }
    }
}
