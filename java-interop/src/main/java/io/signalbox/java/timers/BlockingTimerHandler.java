package io.signalbox.java.timers;

/**
 * Handles timers of one topic on a thread.
 *
 * @param <T> the type of payloads
 */
@FunctionalInterface
public interface BlockingTimerHandler<T> {
    /**
     * Handles a timer. Called on a thread for blocking handlers, see {@link TimersOptions.Builder#blockingExecutor}, which is interrupted if the
     * handler's time limit passes or its worker is stopped.
     *
     * @param payload what the timer carries
     * @param timer what else there is to know of it
     * @throws Exception if it failed, and is to come again
     */
    void handle(T payload, FiredTimer timer) throws Exception;
}
