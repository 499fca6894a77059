package io.signalbox.java.timers;

import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Goes around every handler of a service: for a trace, a metric, a check. */
@FunctionalInterface
public interface TimerInterceptor {
    /**
     * Called on the callback executor of the client after the payload was decoded. What it throws, or its stage fails with, is the handler's
     * failure; if it does not call {@code proceed}, the handler does not run and has succeeded.
     *
     * @param timer what is to be handled
     * @param proceed starts the handler, or the next interceptor; its stage is completed on whatever thread the handler ends. To be called once
     * @return completed when the timer was handled
     * @throws Exception if it fails at once
     */
    CompletionStage<? extends @Nullable Object> around(
            FiredTimer timer, Supplier<? extends CompletionStage<? extends @Nullable Object>> proceed) throws Exception;
}
