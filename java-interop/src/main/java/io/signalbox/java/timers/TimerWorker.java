package io.signalbox.java.timers;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Timers being handled by this process. Made by the library, not to be implemented. */
public interface TimerWorker extends AutoCloseable {
    /**
     * Stops: takes no more timers, gives running handlers the drain timeout to end, then cancels them and gives their timers back. Idempotent.
     *
     * @return completed when it has stopped; cancelling it changes nothing
     */
    CompletableFuture<@Nullable Void> stop();

    /**
     * The end, whoever brought it about.
     *
     * @return completed when it has been stopped; exceptionally with {@code SignalboxClosedException} when the client was closed before;
     *     cancelling it changes nothing
     */
    CompletableFuture<@Nullable Void> ended();

    /**
     * {@link #stop()}, and waits for it. If the thread is interrupted this returns at once with the interrupt status set; the stopping goes on.
     */
    @Override
    void close();
}
