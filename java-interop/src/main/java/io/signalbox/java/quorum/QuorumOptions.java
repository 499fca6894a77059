package io.signalbox.java.quorum;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** How a client of a quorum is to be; immutable. What is left out has its default. */
public final class QuorumOptions {
    private static final QuorumOptions DEFAULTS = builder().build();

    private final @Nullable String namespace;
    private final @Nullable String label;
    private final @Nullable Duration lease;
    private final @Nullable Duration longestLease;
    private final @Nullable Duration storeTimeout;
    private final @Nullable MasterErrors onMasterError;
    private final @Nullable Executor callbackExecutor;

    private QuorumOptions(Builder builder) {
        namespace = builder.namespace;
        label = builder.label;
        lease = builder.lease;
        longestLease = builder.longestLease;
        storeTimeout = builder.storeTimeout;
        onMasterError = builder.onMasterError;
        callbackExecutor = builder.callbackExecutor;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static QuorumOptions defaults() {
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
     * How long a permit outlives the last renewal by a majority.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> lease() {
        return Optional.ofNullable(lease);
    }

    /**
     * The longest lease that any client of the namespace has.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> longestLease() {
        return Optional.ofNullable(longestLease);
    }

    /**
     * How long a call waits for a majority that answers.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> storeTimeout() {
        return Optional.ofNullable(storeTimeout);
    }

    /**
     * Whether the error of a single master fails an acquire.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<MasterErrors> onMasterError() {
        return Optional.ofNullable(onMasterError);
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
        return "QuorumOptions[namespace=" + namespace
                + ", label=" + label
                + ", lease=" + lease
                + ", longestLease=" + longestLease
                + ", storeTimeout=" + storeTimeout
                + ", onMasterError=" + onMasterError
                + ", callbackExecutor=" + callbackExecutor
                + "]";
    }

    /** Collects options of a quorum. Not thread-safe. */
    public static final class Builder {
        private @Nullable String namespace;
        private @Nullable String label;
        private @Nullable Duration lease;
        private @Nullable Duration longestLease;
        private @Nullable Duration storeTimeout;
        private @Nullable MasterErrors onMasterError;
        private @Nullable Executor callbackExecutor;

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
         * Sets how long a permit outlives the last renewal by a majority: how fast a crash heals, against how long an outage of the majority is
         * survived. Renewed every third; the client gives up on its permits after 7/8 of it. By default 10 s.
         *
         * @param lease 100 ms to 1 day, and at most the longest lease
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder lease(Duration lease) {
            this.lease = within("lease", lease, Duration.ofMillis(100), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets the longest lease that any client of the namespace has; by default this client's own. All clients must give the same. A master that
         * was started anew, or lost its data, does not vote until so much time has passed.
         *
         * @param longestLease 100 ms to 1 day
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder longestLease(Duration longestLease) {
            this.longestLease = within("longestLease", longestLease, Duration.ofMillis(100), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long a call waits for a majority that answers. By default 10 s.
         *
         * @param storeTimeout 10 ms to 365 days
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder storeTimeout(Duration storeTimeout) {
            this.storeTimeout = within("storeTimeout", storeTimeout, Duration.ofMillis(10), Duration.ofDays(365));
            return this;
        }

        /**
         * Says whether the error of a single master fails an acquire. By default it does not.
         *
         * @param onMasterError what an acquire makes of it
         * @return this
         */
        public Builder onMasterError(MasterErrors onMasterError) {
            this.onMasterError = Nulls.given(onMasterError, "onMasterError");
            return this;
        }

        /**
         * Sets where futures are completed and actions are called; see the package description of {@link io.signalbox.java}. By default the common
         * pool, or a few threads of the library where that has one thread or none.
         *
         * @param callbackExecutor used by all that this client makes; never shut down by it
         * @return this
         */
        public Builder callbackExecutor(Executor callbackExecutor) {
            this.callbackExecutor = Nulls.given(callbackExecutor, "callbackExecutor");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public QuorumOptions build() {
            return new QuorumOptions(this);
        }

        private static Duration within(String what, Duration value, Duration least, Duration most) {
            Nulls.given(value, what);
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException(
                        what + " must be from " + least + " to " + most + ", but was " + value + ".");
            }
            return value;
        }
    }
}
