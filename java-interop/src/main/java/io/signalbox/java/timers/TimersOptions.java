package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Options of a service of timers.
 *
 * <p>Immutable. Durations are rounded up to whole milliseconds. What is left out has its default; what cannot be used is refused at once, by
 * name and value.
 */
public final class TimersOptions {
    private static final TimersOptions DEFAULTS = builder().build();

    private final @Nullable String name;
    private final List<TimerRouter> routers;
    private final List<Topic<?>> declaredTopics;
    private final @Nullable Integer concurrency;
    private final @Nullable Duration takeoverAfter;
    private final @Nullable Duration safetyCheck;
    private final @Nullable Duration drainTimeout;
    private final @Nullable Integer maxPayloadBytes;
    private final @Nullable Integer shards;
    private final @Nullable Integer previousShards;
    private final @Nullable String timelineKey;
    private final @Nullable String payloadsKey;
    private final @Nullable Integer deadTimersPerTopic;
    private final @Nullable Duration deadTimersFor;
    private final List<TimerInterceptor> interceptors;
    private final @Nullable TimerListener listener;
    private final Map<String, String> environment;
    private final @Nullable Executor blockingExecutor;

    private TimersOptions(Builder builder) {
        name = builder.name;
        routers = List.copyOf(builder.routers);
        declaredTopics = List.copyOf(builder.declaredTopics);
        concurrency = builder.concurrency;
        takeoverAfter = builder.takeoverAfter;
        safetyCheck = builder.safetyCheck;
        drainTimeout = builder.drainTimeout;
        maxPayloadBytes = builder.maxPayloadBytes;
        shards = builder.shards;
        previousShards = builder.previousShards;
        timelineKey = builder.timelineKey;
        payloadsKey = builder.payloadsKey;
        deadTimersPerTopic = builder.deadTimersPerTopic;
        deadTimersFor = builder.deadTimersFor;
        interceptors = List.copyOf(builder.interceptors);
        listener = builder.listener;
        environment = Map.copyOf(builder.environment);
        blockingExecutor = builder.blockingExecutor;
    }

    /**
     * All defaults.
     *
     * @return the same object each time
     */
    public static TimersOptions defaults() {
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
     * The name of the service.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> name() {
        return Optional.ofNullable(name);
    }

    /**
     * Whose handlers are used.
     *
     * @return what was given to the builder
     */
    public List<TimerRouter> routers() {
        return routers;
    }

    /**
     * Topics that are set here and handled elsewhere.
     *
     * @return what was given to the builder
     */
    public List<Topic<?>> declaredTopics() {
        return declaredTopics;
    }

    /**
     * How many handlers run at a time.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> concurrency() {
        return Optional.ofNullable(concurrency);
    }

    /**
     * How long after the death of a worker another one takes over.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> takeoverAfter() {
        return Optional.ofNullable(takeoverAfter);
    }

    /**
     * How often an idle worker asks the server although nobody has woken it.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> safetyCheck() {
        return Optional.ofNullable(safetyCheck);
    }

    /**
     * How long stopping lets running handlers end.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> drainTimeout() {
        return Optional.ofNullable(drainTimeout);
    }

    /**
     * The largest payload, in bytes as stored.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> maxPayloadBytes() {
        return Optional.ofNullable(maxPayloadBytes);
    }

    /**
     * Over how many parts the timers are spread.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> shards() {
        return Optional.ofNullable(shards);
    }

    /**
     * The number of shards before the current change of it.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> previousShards() {
        return Optional.ofNullable(previousShards);
    }

    /**
     * The first part of the names of the keys with the timelines.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> timelineKey() {
        return Optional.ofNullable(timelineKey);
    }

    /**
     * The first part of the names of the keys with the payloads.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<String> payloadsKey() {
        return Optional.ofNullable(payloadsKey);
    }

    /**
     * How many dead and undecodable timers of a topic are kept.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Integer> deadTimersPerTopic() {
        return Optional.ofNullable(deadTimersPerTopic);
    }

    /**
     * How long dead and undecodable timers are kept.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Duration> deadTimersFor() {
        return Optional.ofNullable(deadTimersFor);
    }

    /**
     * What goes around every handler.
     *
     * @return what was given to the builder
     */
    public List<TimerInterceptor> interceptors() {
        return interceptors;
    }

    /**
     * Who hears of every event.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<TimerListener> listener() {
        return Optional.ofNullable(listener);
    }

    /**
     * Environment variables that settings are taken from.
     *
     * @return what was given to the builder
     */
    public Map<String, String> environment() {
        return environment;
    }

    /**
     * Where blocking handlers run.
     *
     * @return what was given to the builder, or empty
     */
    public Optional<Executor> blockingExecutor() {
        return Optional.ofNullable(blockingExecutor);
    }

    /** Collects options. Not thread-safe. */
    public static final class Builder {
        private @Nullable String name;
        private final List<TimerRouter> routers = new ArrayList<>();
        private final List<Topic<?>> declaredTopics = new ArrayList<>();
        private @Nullable Integer concurrency;
        private @Nullable Duration takeoverAfter;
        private @Nullable Duration safetyCheck;
        private @Nullable Duration drainTimeout;
        private @Nullable Integer maxPayloadBytes;
        private @Nullable Integer shards;
        private @Nullable Integer previousShards;
        private @Nullable String timelineKey;
        private @Nullable String payloadsKey;
        private @Nullable Integer deadTimersPerTopic;
        private @Nullable Duration deadTimersFor;
        private final List<TimerInterceptor> interceptors = new ArrayList<>();
        private @Nullable TimerListener listener;
        private Map<String, String> environment = Map.of();
        private @Nullable Executor blockingExecutor;

        private Builder() {}

        /**
         * Sets the name: services of different names share no timers. By default {@code timers}.
         *
         * @param name as names of semaphores, at most 128 bytes of UTF-8
         * @return this
         */
        public Builder name(String name) {
            this.name = Nulls.given(name, "name");
            return this;
        }

        /**
         * Handles the topics of a router. Several can be given.
         *
         * @param router the router
         * @return this
         */
        public Builder router(TimerRouter router) {
            routers.add(Nulls.given(router, "router"));
            return this;
        }

        /**
         * Makes a topic known that is set here and handled elsewhere. Several can be given.
         *
         * @param declaredTopic the topic
         * @return this
         */
        public Builder declare(Topic<?> declaredTopic) {
            declaredTopics.add(Nulls.given(declaredTopic, "declaredTopic"));
            return this;
        }

        /**
         * Limits how many handlers run at a time in this process, over all topics. By default 64.
         *
         * @param concurrency 1 to 10 000
         * @return this
         */
        public Builder concurrency(int concurrency) {
            if (concurrency < 1 || concurrency > 10000)
                throw new IllegalArgumentException("concurrency must be 1 to 10000, but was " + concurrency + ".");
            this.concurrency = concurrency;
            return this;
        }

        /**
         * Sets how long after the death of a worker another one takes over what it was to do. Shorter heals faster; a process that is frozen, or cut off from
         * the server, for longer than this while it handles a timer causes that timer to be handled twice. By default 2 s.
         *
         * @param takeoverAfter 100 ms to 1 day
         * @return this
         */
        public Builder takeoverAfter(Duration takeoverAfter) {
            this.takeoverAfter = within("takeoverAfter", takeoverAfter, Duration.ofMillis(100), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how often an idle worker asks the server although nobody has woken it: what bounds the delay if several workers die at once, or wake-ups are
         * lost. By default 30 s, varied by a fifth.
         *
         * @param safetyCheck 1 s to 1 day
         * @return this
         */
        public Builder safetyCheck(Duration safetyCheck) {
            this.safetyCheck = within("safetyCheck", safetyCheck, Duration.ofSeconds(1), Duration.ofDays(1));
            return this;
        }

        /**
         * Sets how long stopping a worker lets running handlers end. By default 30 s.
         *
         * @param drainTimeout zero or more
         * @return this
         */
        public Builder drainTimeout(Duration drainTimeout) {
            Nulls.given(drainTimeout, "drainTimeout");
            if (drainTimeout.isNegative())
                throw new IllegalArgumentException("drainTimeout must not be negative, but was " + drainTimeout + ".");
            this.drainTimeout = drainTimeout;
            return this;
        }

        /**
         * Sets the largest payload, in bytes as stored. By default 1 MiB.
         *
         * @param maxPayloadBytes 1 to 64 MiB
         * @return this
         */
        public Builder maxPayloadBytes(int maxPayloadBytes) {
            if (maxPayloadBytes < 1 || maxPayloadBytes > (64 << 20))
                throw new IllegalArgumentException(
                        "maxPayloadBytes must be 1 to 67108864, but was " + maxPayloadBytes + ".");
            this.maxPayloadBytes = maxPayloadBytes;
            return this;
        }

        /**
         * Sets over how many parts the timers are spread. One, the default, is right for a single server. All processes must agree; a change needs
         * {@link #previousShards}.
         *
         * @param shards 1 to 256
         * @return this
         */
        public Builder shards(int shards) {
            if (shards < 1 || shards > 256)
                throw new IllegalArgumentException("shards must be 1 to 256, but was " + shards + ".");
            this.shards = shards;
            return this;
        }

        /**
         * Sets the number of shards before the current change of it, so that the former places of timers are emptied.
         *
         * @param previousShards 1 to 256
         * @return this
         */
        public Builder previousShards(int previousShards) {
            if (previousShards < 1 || previousShards > 256)
                throw new IllegalArgumentException("previousShards must be 1 to 256, but was " + previousShards + ".");
            this.previousShards = previousShards;
            return this;
        }

        /**
         * Sets the first part of the names of the keys with the timelines; all processes must agree.
         *
         * @param timelineKey a name
         * @return this
         */
        public Builder timelineKey(String timelineKey) {
            this.timelineKey = Nulls.given(timelineKey, "timelineKey");
            return this;
        }

        /**
         * Sets the first part of the names of the keys with the payloads; all processes must agree.
         *
         * @param payloadsKey a name
         * @return this
         */
        public Builder payloadsKey(String payloadsKey) {
            this.payloadsKey = Nulls.given(payloadsKey, "payloadsKey");
            return this;
        }

        /**
         * Limits how many dead and undecodable timers of a topic are kept, in each shard: of more, the oldest are removed when a worker takes its next turn. By
         * default all are kept: what was promised to be handled is not removed unless you say so.
         *
         * @param deadTimersPerTopic 1 or more
         * @return this
         */
        public Builder deadTimersPerTopic(int deadTimersPerTopic) {
            if (deadTimersPerTopic < 1)
                throw new IllegalArgumentException(
                        "deadTimersPerTopic must be at least 1, but was " + deadTimersPerTopic + ".");
            this.deadTimersPerTopic = deadTimersPerTopic;
            return this;
        }

        /**
         * Limits how long dead and undecodable timers are kept. By default for ever.
         *
         * @param deadTimersFor 1 s to 1000 years
         * @return this
         */
        public Builder deadTimersFor(Duration deadTimersFor) {
            this.deadTimersFor =
                    within("deadTimersFor", deadTimersFor, Duration.ofSeconds(1), Duration.ofDays(365L * 1000));
            return this;
        }

        /**
         * Goes around every handler. Several can be given, the first one is outermost.
         *
         * @param interceptor what to do around handlers
         * @return this
         */
        public Builder interceptor(TimerInterceptor interceptor) {
            interceptors.add(Nulls.given(interceptor, "interceptor"));
            return this;
        }

        private static Duration within(String what, Duration value, Duration least, Duration most) {
            Nulls.given(value, what);
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0)
                throw new IllegalArgumentException(
                        what + " must be " + least + " to " + most + ", but was " + value + ".");
            return value;
        }

        /**
         * Has somebody hear of every event.
         *
         * @param listener called on the library's threads
         * @return this
         */
        public Builder listener(TimerListener listener) {
            this.listener = Nulls.given(listener, "listener");
            return this;
        }

        /**
         * Takes settings from environment variables, those of timer services that poll. Options given here win.
         *
         * @param environment for instance {@link System#getenv()}
         * @return this
         */
        public Builder environment(Map<String, String> environment) {
            this.environment = Nulls.allGiven(environment, "environment");
            return this;
        }

        /**
         * Sets where blocking handlers run: for instance an executor of a virtual thread per task. By default threads of the library's own, as many as there are
         * handlers at work.
         *
         * @param blockingExecutor never shut down by the library
         * @return this
         */
        public Builder blockingExecutor(Executor blockingExecutor) {
            this.blockingExecutor = Nulls.given(blockingExecutor, "blockingExecutor");
            return this;
        }

        /**
         * Makes the options.
         *
         * @return them
         */
        public TimersOptions build() {
            return new TimersOptions(this);
        }
    }
}
