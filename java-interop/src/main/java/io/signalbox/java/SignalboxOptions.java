package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Options of a client.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default.
 */
public final class SignalboxOptions {
    private static final SignalboxOptions DEFAULTS = builder().build();

    private final @Nullable String namespace;
    private final @Nullable String label;
    private final @Nullable Duration lease;
    private final @Nullable Duration retention;
    private final @Nullable Duration storeTimeout;
    private final @Nullable Duration holdWarning;
    private final @Nullable Boolean announceInScript;
    private final @Nullable Executor callbackExecutor;
    private final @Nullable Integer maxWaiters;
    private final @Nullable ConnectionOptions connection;
    private final @Nullable Durability durability;

    private SignalboxOptions(Builder builder) {
        maxWaiters = builder.maxWaiters;
        namespace = builder.namespace;
        label = builder.label;
        lease = builder.lease;
        retention = builder.retention;
        storeTimeout = builder.storeTimeout;
        holdWarning = builder.holdWarning;
        announceInScript = builder.announceInScript;
        callbackExecutor = builder.callbackExecutor;
        connection = builder.connection;
        durability = builder.durability;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static SignalboxOptions defaults() {
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
     * The first part of every key.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> namespace() {
        return Optional.ofNullable(namespace);
    }

    /**
     * What this client is called in snapshots.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> label() {
        return Optional.ofNullable(label);
    }

    /**
     * How long permits and places in the queue outlive the client's last exchange with the server.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> lease() {
        return Optional.ofNullable(lease);
    }

    /**
     * How long the keys of a semaphore outlive the last client that uses it.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> retention() {
        return Optional.ofNullable(retention);
    }

    /**
     * How long a call that only needs an answer of the store waits for it.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> storeTimeout() {
        return Optional.ofNullable(storeTimeout);
    }

    /**
     * How long a permit may be held before an operator is told.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> holdWarning() {
        return Optional.ofNullable(holdWarning);
    }

    /**
     * Whether scripts push announcements.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Boolean> announceInScript() {
        return Optional.ofNullable(announceInScript);
    }

    /**
     * Where futures are completed and callbacks are called.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Executor> callbackExecutor() {
        return Optional.ofNullable(callbackExecutor);
    }

    /**
     * How many may wait at a time.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> maxWaiters() {
        return Optional.ofNullable(maxWaiters);
    }

    /**
     * How servers are reached, beyond what the URI says.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<ConnectionOptions> connection() {
        return Optional.ofNullable(connection);
    }

    /**
     * Where grants have to be before an acquire returns.
     *
     * @return what was given to the builder, or empty for the memory of the primary
     */
    public Optional<Durability> durability() {
        return Optional.ofNullable(durability);
    }

    @Override
    public String toString() {
        return "SignalboxOptions[namespace=" + namespace
                + ", label=" + label
                + ", lease=" + lease
                + ", retention=" + retention
                + ", storeTimeout=" + storeTimeout
                + ", holdWarning=" + holdWarning
                + ", announceInScript=" + announceInScript
                + ", callbackExecutor=" + callbackExecutor
                + ", maxWaiters=" + maxWaiters
                + ", connection=" + connection
                + ", durability=" + durability
                + "]";
    }

    /** Collects signalbox options. Not thread-safe. */
    public static final class Builder {
        private @Nullable String namespace;
        private @Nullable String label;
        private @Nullable Duration lease;
        private @Nullable Duration retention;
        private @Nullable Duration storeTimeout;
        private @Nullable Duration holdWarning;
        private @Nullable Boolean announceInScript;
        private @Nullable Executor callbackExecutor;
        private @Nullable Integer maxWaiters;
        private @Nullable ConnectionOptions connection;
        private @Nullable Durability durability;

        private Builder() {}

        /**
         * Sets the first part of every key: clients with different namespaces share nothing. By default {@code signalbox}.
         *
         * @param namespace 1 to 64 bytes of UTF-8; no braces, control characters or lone surrogates, which is checked when the client is made
         * @return this
         */
        public Builder namespace(String namespace) {
            this.namespace = Nulls.given(namespace, "namespace");
            return this;
        }

        /**
         * Sets what this client is called in snapshots. By default the process id and host name.
         *
         * @param label at most 128 bytes of UTF-8, which is checked when the client is made
         * @return this
         */
        public Builder label(String label) {
            this.label = Nulls.given(label, "label");
            return this;
        }

        /**
         * Sets how long permits and places in the queue outlive the client's last exchange with the server: how fast a crash heals, against how
         * long an outage is survived. Renewed every third; the client gives up on its permits after 7/8 of it. By default 30 s.
         *
         * @param lease 100 ms to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder lease(Duration lease) {
            this.lease = Checks.within("lease", lease, Duration.ofMillis(100), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long the keys of a semaphore outlive the last client that uses it; three leases at least. By default 5 min.
         *
         * @param retention 1 s to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder retention(Duration retention) {
            this.retention = Checks.within("retention", retention, Duration.ofSeconds(1), Checks.LONGEST);
            return this;
        }

        /**
         * Sets how long a call that only needs an answer of the store waits for it. By default 10 s.
         *
         * @param storeTimeout 10 ms to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder storeTimeout(Duration storeTimeout) {
            this.storeTimeout = Checks.within("storeTimeout", storeTimeout, Duration.ofMillis(10), Checks.LONGEST);
            return this;
        }

        /**
         * Has an operator told, once, of a permit that is held for longer, by a warning in the log and {@link
         * SignalboxListener#onHeldLong(Observation.HeldLong)}: its holder may have forgotten to release it. Nothing else happens to it. Noticed up
         * to a third of a lease later. By default nobody is told.
         *
         * @param holdWarning 1 ms to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder holdWarning(Duration holdWarning) {
            this.holdWarning = Checks.within("holdWarning", holdWarning, Checks.MILLISECOND, Checks.LONGEST);
            return this;
        }

        /**
         * Says whether scripts may push announcements to a list that is not among their declared keys. True, the default, suits a single server and
         * Sentinel. False, for servers that refuse undeclared keys, has the client push them after the script.
         *
         * @param announceInScript whether they may
         * @return this
         */
        public Builder announceInScript(boolean announceInScript) {
            this.announceInScript = announceInScript;
            return this;
        }

        /**
         * Sets where futures are completed and actions are called: see the {@linkplain io.signalbox.java package description}. By default
         * the common pool, or a few threads of the library where that has one thread or none. {@code Runnable::run} saves a hop and runs them on the library's threads, the driver's included: then
         * nothing that runs there may block, but nothing runs inside of a call of yours that gives a permit back. To tell such an executor, it gets one
         * empty task when the client is made. If the executor refuses a task, the call whose answer it
         * was to deliver fails with {@link java.util.concurrent.RejectedExecutionException}, and a permit is given back.
         *
         * @param callbackExecutor used by all that this client makes; never shut down by it
         * @return this
         */
        public Builder callbackExecutor(Executor callbackExecutor) {
            this.callbackExecutor = Nulls.given(callbackExecutor, "callbackExecutor");
            return this;
        }

        /**
         * Limits how many acquires, tries, awaits and signals of all handles may be pending at a time, in a queue or for the answer of the store; one more fails at once with {@code TooManyWaitersException}, so that
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
         * Says how servers are reached, beyond what the URI says: TLS, credentials that change, options of the driver. For clients that are made
         * by a URI; a driver's client of the user's brings all of that along and refuses it, and in memory it has no meaning.
         *
         * @param connection how
         * @return this
         */
        public Builder connection(ConnectionOptions connection) {
            this.connection = Nulls.given(connection, "connection");
            return this;
        }

        /**
         * Sets where grants of semaphores and mutexes have to be before an acquire returns: by default in the memory of the primary. The acquire
         * asks over a connection of its own and shares the question with all that come meanwhile; nothing else waits. If the grant is not
         * there in time it is given back, and the acquire fails with {@link io.signalbox.StoreUnavailableException}. Releases, renewals, signals
         * and timers are not confirmed. Of no meaning in memory.
         *
         * @param durability where
         * @return this
         */
        public Builder durability(Durability durability) {
            this.durability = Nulls.given(durability, "durability");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public SignalboxOptions build() {
            return new SignalboxOptions(this);
        }
    }
}
