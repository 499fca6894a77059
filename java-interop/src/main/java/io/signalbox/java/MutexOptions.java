package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Options of one mutex handle. The first call for a name within a client decides; a later call with other options fails, because it would
 * get the same handle.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default.
 */
public final class MutexOptions {
    private static final MutexOptions DEFAULTS = builder().build();

    private final @Nullable Duration maxHold;
    private final @Nullable Duration lockTimeout;
    private final AfterDataLoss afterDataLoss;

    private MutexOptions(Builder builder) {
        maxHold = builder.maxHold;
        lockTimeout = builder.lockTimeout;
        afterDataLoss = builder.afterDataLoss;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static MutexOptions defaults() {
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
     * How long the lock may be held.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> maxHold() {
        return Optional.ofNullable(maxHold);
    }

    /**
     * How long locking without a time limit of its own waits.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> lockTimeout() {
        return Optional.ofNullable(lockTimeout);
    }

    /**
     * What happens after the server lost this mutex's data.
     *
     * @return what was given to the builder
     */
    public AfterDataLoss afterDataLoss() {
        return afterDataLoss;
    }

    @Override
    public String toString() {
        return "MutexOptions[maxHold=" + maxHold
                + ", lockTimeout=" + lockTimeout
                + ", afterDataLoss=" + afterDataLoss
                + "]";
    }

    /** Collects mutex options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Duration maxHold;
        private @Nullable Duration lockTimeout;
        private AfterDataLoss afterDataLoss = AfterDataLoss.GRANT_AT_ONCE;

        private Builder() {}

        /**
         * Limits how long the lock may be held, heartbeats or not, by the server's clock. At that moment it is lost. By default there is no
         * limit.
         *
         * @param maxHold 1 ms to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder maxHold(Duration maxHold) {
            this.maxHold = Checks.within("maxHold", maxHold, Checks.MILLISECOND, Checks.LONGEST);
            return this;
        }

        /**
         * Limits how long {@code lock()} without a time limit of its own waits. By default it waits for ever.
         *
         * @param lockTimeout 1 ms or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder lockTimeout(Duration lockTimeout) {
            this.lockTimeout = Checks.atLeastOneMilli("lockTimeout", lockTimeout);
            return this;
        }

        /**
         * Says what happens after the server lost this mutex's data. Used by the client that creates it anew. By default it grants at once.
         *
         * @param afterDataLoss what to do
         * @return this
         */
        public Builder afterDataLoss(AfterDataLoss afterDataLoss) {
            this.afterDataLoss = Objects.requireNonNull(afterDataLoss, "afterDataLoss");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public MutexOptions build() {
            return new MutexOptions(this);
        }
    }
}
