package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;
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
    private final @Nullable Boolean announceInScript;
    private final @Nullable Executor callbackExecutor;

    private SignalboxOptions(Builder builder) {
        namespace = builder.namespace;
        label = builder.label;
        lease = builder.lease;
        retention = builder.retention;
        storeTimeout = builder.storeTimeout;
        announceInScript = builder.announceInScript;
        callbackExecutor = builder.callbackExecutor;
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

    @Override
    public String toString() {
        return "SignalboxOptions[namespace=" + namespace
                + ", label=" + label
                + ", lease=" + lease
                + ", retention=" + retention
                + ", storeTimeout=" + storeTimeout
                + ", announceInScript=" + announceInScript
                + ", callbackExecutor=" + callbackExecutor
                + "]";
    }

    /** Collects signalbox options. Not thread-safe. */
    public static final class Builder {
        private @Nullable String namespace;
        private @Nullable String label;
        private @Nullable Duration lease;
        private @Nullable Duration retention;
        private @Nullable Duration storeTimeout;
        private @Nullable Boolean announceInScript;
        private @Nullable Executor callbackExecutor;

        private Builder() {}

        /**
         * Sets the first part of every key: clients with different namespaces share nothing. By default {@code signalbox}.
         *
         * @param namespace 1 to 64 bytes of UTF-8; no braces, control characters or lone surrogates, which is checked when the client is made
         * @return this
         */
        public Builder namespace(String namespace) {
            this.namespace = Objects.requireNonNull(namespace, "namespace");
            return this;
        }

        /**
         * Sets what this client is called in snapshots. By default the process id and host name.
         *
         * @param label at most 128 bytes of UTF-8, which is checked when the client is made
         * @return this
         */
        public Builder label(String label) {
            this.label = Objects.requireNonNull(label, "label");
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
         * nothing that runs there may block. If the executor refuses a task, the call whose answer it
         * was to deliver fails with {@link java.util.concurrent.RejectedExecutionException}, and a permit is given back.
         *
         * @param callbackExecutor used by all that this client makes; never shut down by it
         * @return this
         */
        public Builder callbackExecutor(Executor callbackExecutor) {
            this.callbackExecutor = Objects.requireNonNull(callbackExecutor, "callbackExecutor");
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
