package io.signalbox.java;

import io.signalbox.OnMismatch;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Options of one semaphore handle. The first call for a name within a client decides; a later call with other options fails, because it would
 * get the same handle.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default.
 */
public final class SemaphoreOptions {
    private static final SemaphoreOptions DEFAULTS = builder().build();

    private final @Nullable Duration maxHold;
    private final @Nullable Duration acquireTimeout;
    private final boolean bounded;
    private final OnMismatch onMismatch;
    private final AfterDataLoss afterDataLoss;
    private final @Nullable Duration longestLease;
    private final @Nullable InitStrategy pool;
    private final @Nullable Integer maxWaiters;

    private SemaphoreOptions(Builder builder) {
        maxWaiters = builder.maxWaiters;
        maxHold = builder.maxHold;
        acquireTimeout = builder.acquireTimeout;
        bounded = builder.bounded;
        onMismatch = builder.onMismatch;
        afterDataLoss = builder.afterDataLoss;
        longestLease = builder.longestLease;
        pool = builder.pool;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static SemaphoreOptions defaults() {
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
     * How long a grant may be held.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> maxHold() {
        return Optional.ofNullable(maxHold);
    }

    /**
     * How long acquires without a time limit of their own wait.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> acquireTimeout() {
        return Optional.ofNullable(acquireTimeout);
    }

    /**
     * Whether the count is fixed except by resizing.
     *
     * @return what was given to the builder
     */
    public boolean bounded() {
        return bounded;
    }

    /**
     * What happens if the semaphore exists with another declaration.
     *
     * @return what was given to the builder
     */
    public OnMismatch onMismatch() {
        return onMismatch;
    }

    /**
     * What happens after the server lost this semaphore's data.
     *
     * @return what was given to the builder
     */
    public AfterDataLoss afterDataLoss() {
        return afterDataLoss;
    }

    /**
     * The longest lease that any client of this semaphore may have, and how long a quarantine lasts.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> longestLease() {
        return Optional.ofNullable(longestLease);
    }

    /**
     * Whether the semaphore is a pool, and how it is created.
     *
     * @return what was given to the builder, or empty for the queue algorithm
     */
    public Optional<InitStrategy> pool() {
        return Optional.ofNullable(pool);
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
        return "SemaphoreOptions[maxHold=" + maxHold
                + ", acquireTimeout=" + acquireTimeout
                + ", bounded=" + bounded
                + ", afterDataLoss=" + afterDataLoss
                + ", longestLease=" + longestLease
                + ", pool=" + pool
                + ", maxWaiters=" + maxWaiters
                + ", onMismatch=" + onMismatch
                + "]";
    }

    /** Collects semaphore options. Not thread-safe. */
    public static final class Builder {
        private @Nullable Duration maxHold;
        private @Nullable Duration acquireTimeout;
        private boolean bounded = true;
        private OnMismatch onMismatch = OnMismatch.FAIL;
        private AfterDataLoss afterDataLoss = AfterDataLoss.GRANT_AT_ONCE;
        private @Nullable Duration longestLease;
        private @Nullable InitStrategy pool;
        private @Nullable Integer maxWaiters;

        private Builder() {}

        /**
         * Limits how long a grant may be held, heartbeats or not, by the server's clock. At that moment the permit is lost. By default there
         * is no limit.
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
         * Limits how long {@code acquire()} without a time limit of its own waits. By default it waits for ever.
         *
         * @param acquireTimeout 1 ms or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder acquireTimeout(Duration acquireTimeout) {
            this.acquireTimeout = Checks.atLeastOneMilli("acquireTimeout", acquireTimeout);
            return this;
        }

        /**
         * Says whether the count is fixed except by {@link Semaphore#resize(int)}. Unbounded semaphores also take {@link
         * Semaphore#addPermits(int)}. Part of the declaration: all creators must agree. Ignored by {@code attach}. By default {@code true}.
         *
         * @param bounded whether it is
         * @return this
         */
        public Builder bounded(boolean bounded) {
            this.bounded = bounded;
            return this;
        }

        /**
         * Says what happens if the semaphore exists with another declaration: a rolling deploy that changes the count wants {@link OnMismatch#RESIZE}.
         * By default it fails.
         *
         * @param onMismatch what to do
         * @return this
         */
        public Builder onMismatch(OnMismatch onMismatch) {
            this.onMismatch = Nulls.given(onMismatch, "onMismatch");
            return this;
        }

        /**
         * Says what happens after the server lost this semaphore's data. Used by the client that creates it anew. By default it grants at once.
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
         * Makes the semaphore a pool of tokens in a Redis list instead of a queue: no script on the way of any acquire or release, so it works
         * for users and servers without scripting. It has 1 to 4096 permits.
         *
         * <p>As by the queue algorithm, at most that many unexpired permits exist at any instant of the server, fencing tokens grow from grant to
         * grant, permits of a crashed process are free again after one lease, a loss is heard of in time, and a cancelled acquire leaves nothing
         * behind. Different from it: newcomers of other processes may be served first, waiters of other processes are not visible, several permits
         * are gathered one by one, a max hold is enforced by the holder's client, permits are lost with the server's data, and each contended pool
         * costs a blocking connection.
         *
         * <p>A pool and a queue semaphore of the same name are different semaphores, so all clients must agree; within one client a name has one
         * algorithm.
         *
         * @param strategy how this client creates the pool if it does not exist; ignored by {@code attach}
         * @return this
         */
        public Builder pool(InitStrategy strategy) {
            pool = Nulls.given(strategy, "strategy");
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
        public SemaphoreOptions build() {
            return new SemaphoreOptions(this);
        }
    }
}
