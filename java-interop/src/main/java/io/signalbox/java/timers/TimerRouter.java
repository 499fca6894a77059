package io.signalbox.java.timers;

import io.signalbox.java.internal.timers.RouterBuilder;

/** Which handler gets which topic; several of them can be used in one service. Made by {@link #builder()}, not to be implemented. */
public interface TimerRouter {
    /**
     * Starts a router.
     *
     * @return a new builder
     */
    static Builder builder() {
        return new RouterBuilder();
    }

    /**
     * Collects handlers. Not thread-safe, not to be implemented.
     *
     * <p>A handler that returns, or whose stage completes, has succeeded. One that fails has its timer come again as the topic's options say. It may
     * be called more than once for the same timer: at least once is the promise.
     */
    interface Builder {
        /**
         * {@link #handler(Topic, TopicOptions, TimerHandler)} with all defaults.
         *
         * @param <T> the type of payloads
         * @param topic what it handles
         * @param handler how
         * @return this
         */
        default <T> Builder handler(Topic<T> topic, TimerHandler<? super T> handler) {
            return handler(topic, TopicOptions.defaults(), handler);
        }

        /**
         * Has timers of {@code topic} handled by {@code handler}.
         *
         * @param <T> the type of payloads
         * @param topic what it handles
         * @param options what to do differently
         * @param handler how
         * @return this
         * @throws IllegalArgumentException if the topic has a handler already
         */
        <T> Builder handler(Topic<T> topic, TopicOptions options, TimerHandler<? super T> handler);

        /**
         * {@link #blockingHandler(Topic, TopicOptions, BlockingTimerHandler)} with all defaults.
         *
         * @param <T> the type of payloads
         * @param topic what it handles
         * @param handler how
         * @return this
         */
        default <T> Builder blockingHandler(Topic<T> topic, BlockingTimerHandler<? super T> handler) {
            return blockingHandler(topic, TopicOptions.defaults(), handler);
        }

        /**
         * Has timers of {@code topic} handled by {@code handler}, each on a thread.
         *
         * @param <T> the type of payloads
         * @param topic what it handles
         * @param options what to do differently
         * @param handler how
         * @return this
         * @throws IllegalArgumentException if the topic has a handler already
         */
        <T> Builder blockingHandler(Topic<T> topic, TopicOptions options, BlockingTimerHandler<? super T> handler);

        /**
         * Takes over all handlers of another router.
         *
         * @param router made before
         * @return this
         * @throws IllegalArgumentException if a topic has a handler already
         */
        Builder include(TimerRouter router);

        /**
         * Makes the router.
         *
         * @return it
         */
        TimerRouter build();
    }
}
