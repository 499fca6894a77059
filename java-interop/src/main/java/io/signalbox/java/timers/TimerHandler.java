package io.signalbox.java.timers;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Handles timers of one topic without blocking.
 *
 * @param <T> the type of payloads
 */
@FunctionalInterface
public interface TimerHandler<T> {
    /**
     * Starts to handle a timer. Called on the callback executor of the client. If the handler's time limit passes, or its worker is stopped, {@link
     * java.util.concurrent.CompletableFuture#cancel(boolean)} is called on the stage.
     *
     * @param payload what the timer carries
     * @param timer what else there is to know of it
     * @return completed when the timer was handled; exceptionally if that failed, and it is to come again
     * @throws Exception if it failed at once
     */
    CompletionStage<? extends @Nullable Object> handle(T payload, FiredTimer timer) throws Exception;
}
