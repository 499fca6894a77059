package io.signalbox.java.timers;

import io.signalbox.java.Semaphore;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How timers of one topic are handled by this process.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default; what cannot be used is refused, by name and value,
 * when the timers are made.
 */
public final class TopicOptions {
    private static final TopicOptions DEFAULTS = builder().build();

    private final @Nullable Integer attempts;
    private final @Nullable Duration backoff;
    private final @Nullable Double backoffFactor;
    private final @Nullable Duration maxBackoff;
    private final @Nullable Double backoffJitter;
    private final @Nullable Duration timeout;
    private final @Nullable Integer concurrency;
    private final @Nullable Semaphore semaphore;

    private TopicOptions(Builder builder) {
        attempts = builder.attempts;
        backoff = builder.backoff;
        backoffFactor = builder.backoffFactor;
        maxBackoff = builder.maxBackoff;
        backoffJitter = builder.backoffJitter;
        timeout = builder.timeout;
        concurrency = builder.concurrency;
        semaphore = builder.semaphore;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static TopicOptions defaults() {
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
     * How often a timer is handled before it is given up.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> attempts() {
        return Optional.ofNullable(attempts);
    }

    /**
     * How long after the first failure the timer comes again.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> backoff() {
        return Optional.ofNullable(backoff);
    }

    /**
     * What the pause is multiplied by with every further failure.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Double> backoffFactor() {
        return Optional.ofNullable(backoffFactor);
    }

    /**
     * The longest pause.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> maxBackoff() {
        return Optional.ofNullable(maxBackoff);
    }

    /**
     * By which share each pause is varied at random.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Double> backoffJitter() {
        return Optional.ofNullable(backoffJitter);
    }

    /**
     * How long a handler may run.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    /**
     * How many handlers of this topic run at a time in this process.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> concurrency() {
        return Optional.ofNullable(concurrency);
    }

    /**
     * What limits the handlers of this topic across all processes.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Semaphore> semaphore() {
        return Optional.ofNullable(semaphore);
    }

    /** Collects options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Integer attempts;
        private @Nullable Duration backoff;
        private @Nullable Double backoffFactor;
        private @Nullable Duration maxBackoff;
        private @Nullable Double backoffJitter;
        private @Nullable Duration timeout;
        private @Nullable Integer concurrency;
        private @Nullable Semaphore semaphore;

        private Builder() {}

        /**
         * Limits how often a timer is handled before it is given up as dead; 1 means no retry. Counted when a worker takes the timer, so a timer that
         * kills its workers is given up as well. By default 5.
         *
         * @param attempts 1 or more
         * @return this
         */
        public Builder attempts(int attempts) {
            this.attempts = attempts;
            return this;
        }

        /**
         * Sets how long after the first failure the timer comes again. By default 1 s.
         *
         * @param backoff zero or more
         * @return this
         */
        public Builder backoff(Duration backoff) {
            this.backoff = Objects.requireNonNull(backoff, "backoff");
            return this;
        }

        /**
         * Sets what the pause is multiplied by with every further failure. By default 2.
         *
         * @param backoffFactor 1 or more
         * @return this
         */
        public Builder backoffFactor(double backoffFactor) {
            this.backoffFactor = backoffFactor;
            return this;
        }

        /**
         * Sets the longest pause. By default 5 min.
         *
         * @param maxBackoff at least the backoff
         * @return this
         */
        public Builder maxBackoff(Duration maxBackoff) {
            this.maxBackoff = Objects.requireNonNull(maxBackoff, "maxBackoff");
            return this;
        }

        /**
         * Sets by which share each pause is varied at random, up or down, so that what failed together does not come again together. By default 0.2.
         *
         * @param backoffJitter 0 to 1
         * @return this
         */
        public Builder backoffJitter(double backoffJitter) {
            this.backoffJitter = backoffJitter;
            return this;
        }

        /**
         * Limits how long a handler may run. After it the handler is cancelled or interrupted, and the attempt has failed. If it ignores that, its timer and
         * its place are free nevertheless. By default 10 min.
         *
         * @param timeout 1 ms or more; {@link java.time.temporal.ChronoUnit#FOREVER} for no limit
         * @return this
         */
        public Builder timeout(Duration timeout) {
            this.timeout = Objects.requireNonNull(timeout, "timeout");
            return this;
        }

        /**
         * Limits how many handlers of this topic run at a time in this process, within that of the service. By default there is no limit of its own.
         *
         * @param concurrency 1 or more
         * @return this
         */
        public Builder concurrency(int concurrency) {
            this.concurrency = concurrency;
            return this;
        }

        /**
         * Limits the handlers of this topic across all processes: each runs under a permit. A worker takes no timer before it has the permit for it, so what
         * waits for permits keeps nothing else waiting. By default there is none.
         *
         * @param semaphore made by a client of this library
         * @return this
         */
        public Builder semaphore(Semaphore semaphore) {
            this.semaphore = Objects.requireNonNull(semaphore, "semaphore");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public TopicOptions build() {
            return new TopicOptions(this);
        }
    }
}
