package io.signalbox.java.timers;

import io.signalbox.java.Semaphore;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How timers of one topic are handled by this process.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default; what cannot be used is refused at once, by
 * name and value.
 */
public final class TopicOptions {
    private static final Duration LONGEST = Duration.ofDays(365L * 1000);
    private static final Duration DEFAULT_BACKOFF = Duration.ofSeconds(1);
    private static final Duration DEFAULT_MAX_BACKOFF = Duration.ofMinutes(5);

    /** Made of what is above. */
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
            if (attempts < 1)
                throw new IllegalArgumentException("attempts must be at least 1, but was " + attempts + ".");
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
            this.backoff = within("backoff", backoff, Duration.ZERO);
            return this;
        }

        /**
         * Sets what the pause is multiplied by with every further failure. By default 2.
         *
         * @param backoffFactor 1 or more
         * @return this
         */
        public Builder backoffFactor(double backoffFactor) {
            if (!(backoffFactor >= 1 && backoffFactor < Double.POSITIVE_INFINITY))
                throw new IllegalArgumentException("backoffFactor must be at least 1, but was " + backoffFactor + ".");
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
            this.maxBackoff = within("maxBackoff", maxBackoff, Duration.ZERO);
            return this;
        }

        /**
         * Sets by which share each pause is varied at random, up or down, so that what failed together does not come again together. By default 0.2.
         *
         * @param backoffJitter 0 to 1
         * @return this
         */
        public Builder backoffJitter(double backoffJitter) {
            if (!(backoffJitter >= 0 && backoffJitter <= 1))
                throw new IllegalArgumentException("backoffJitter must be 0 to 1, but was " + backoffJitter + ".");
            this.backoffJitter = backoffJitter;
            return this;
        }

        /**
         * Limits how long a handler may run. After it the handler is cancelled or interrupted, and the attempt has failed. If it ignores that, its timer and
         * its place are free nevertheless. After a tenth of it a warning names the timer. By default 10 min, because a handler that is cut off half-way does more
         * harm than one that takes its time: set it to a few times of what your handlers take.
         *
         * @param timeout 1 ms or more; {@link java.time.temporal.ChronoUnit#FOREVER} for no limit
         * @return this
         */
        public Builder timeout(Duration timeout) {
            Nulls.given(timeout, "timeout");
            if (timeout.compareTo(Duration.ofMillis(1)) < 0)
                throw new IllegalArgumentException("timeout must be at least 1 ms, but was " + timeout + ".");
            this.timeout = timeout;
            return this;
        }

        /**
         * Limits how many handlers of this topic run at a time in this process, within that of the service. By default there is no limit of its own.
         *
         * @param concurrency 1 or more
         * @return this
         */
        public Builder concurrency(int concurrency) {
            if (concurrency < 1)
                throw new IllegalArgumentException("concurrency must be at least 1, but was " + concurrency + ".");
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
            this.semaphore = Nulls.given(semaphore, "semaphore");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         * @throws IllegalArgumentException if the longest pause is shorter than the first one
         */
        public TopicOptions build() {
            var first = backoff == null ? DEFAULT_BACKOFF : backoff;
            var longest = maxBackoff == null ? DEFAULT_MAX_BACKOFF : maxBackoff;
            if (longest.compareTo(first) < 0)
                throw new IllegalArgumentException("maxBackoff must be at least backoff, which is "
                        + (backoff == null ? "1 s by default" : backoff) + ", but was "
                        + (maxBackoff == null ? "5 min by default" : maxBackoff) + ".");
            return new TopicOptions(this);
        }

        private static Duration within(String what, Duration value, Duration least) {
            Nulls.given(value, what);
            if (value.compareTo(least) < 0 || value.compareTo(LONGEST) > 0)
                throw new IllegalArgumentException(
                        what + " must be zero or more and at most " + LONGEST + ", but was " + value + ".");
            return value;
        }
    }
}
