package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
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
    private final @Nullable Duration longestLease;
    private final @Nullable Integer maxWaiters;

    private MutexOptions(Builder builder) {
        maxWaiters = builder.maxWaiters;
        maxHold = builder.maxHold;
        lockTimeout = builder.lockTimeout;
        afterDataLoss = builder.afterDataLoss;
        longestLease = builder.longestLease;
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

    /**
     * The longest lease that any client of this mutex may have, and how long a quarantine lasts.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> longestLease() {
        return Optional.ofNullable(longestLease);
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
        return "MutexOptions[maxHold=" + maxHold
                + ", lockTimeout=" + lockTimeout
                + ", afterDataLoss=" + afterDataLoss
                + ", longestLease=" + longestLease
                + ", maxWaiters=" + maxWaiters
                + "]";
    }

    /** Collects mutex options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Duration maxHold;
        private @Nullable Duration lockTimeout;
        private AfterDataLoss afterDataLoss = AfterDataLoss.GRANT_AT_ONCE;
        private @Nullable Duration longestLease;
        private @Nullable Integer maxWaiters;

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
            this.afterDataLoss = Nulls.given(afterDataLoss, "afterDataLoss");
            return this;
        }

        /**
         * Says, with {@link AfterDataLoss#QUARANTINE}, what the longest lease is that any client of it may have. A quarantine lasts so long,
         * because the server cannot know the leases that it has forgotten; a client with a longer one is refused. The first creator's
         * counts. By default it is the client's own lease.
         *
         * @param longestLease from the client's own lease to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder longestLease(Duration longestLease) {
            this.longestLease = Checks.atLeastOneMilli("longestLease", longestLease);
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
        public MutexOptions build() {
            return new MutexOptions(this);
        }
    }
}
