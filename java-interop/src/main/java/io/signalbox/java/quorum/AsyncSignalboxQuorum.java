package io.signalbox.java.quorum;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A client of 3, 5 or 7 independent servers, of which a majority decides: where semaphores and mutexes come from that go on when one of the servers
 * dies, and lose nothing with it; asynchronous view.
 *
 * <p>It has less than a client of one server: no strict order over processes, no several permits in one acquire, no {@code addPermits}, no max
 * hold, no attaching, no events, no timers, no listeners. Safe to use from any thread.
 */
public interface AsyncSignalboxQuorum extends AutoCloseable {
    /**
     * How many masters there are.
     *
     * @return 3, 5 or 7
     */
    int masters();

    /**
     * Creates the semaphore with that many permits, or joins it if a majority knows it. The same name within one client gives the same object.
     *
     * @param name not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates
     * @param permits 1 to 1024
     * @return the semaphore
     */
    CompletableFuture<AsyncQuorumSemaphore> semaphore(String name, int permits);

    /**
     * As the other, with a time limit. The first call for a name within a client decides; a later one with others fails.
     *
     * @param name see the other
     * @param permits 1 to 1024
     * @param acquireTimeout how long its {@code acquire()} waits, 1 ms or more
     * @return the semaphore
     */
    CompletableFuture<AsyncQuorumSemaphore> semaphore(String name, int permits, Duration acquireTimeout);

    /**
     * Creates or joins the mutex.
     *
     * @param name as of semaphores, with which a mutex of the same name has nothing to do
     * @return the mutex
     */
    CompletableFuture<AsyncQuorumMutex> mutex(String name);

    /**
     * As the other, with a time limit. The first call for a name within a client decides; a later one with others fails.
     *
     * @param name as of semaphores
     * @param lockTimeout how long its {@code lock()} waits, 1 ms or more
     * @return the mutex
     */
    CompletableFuture<AsyncQuorumMutex> mutex(String name, Duration lockTimeout);

    /**
     * The same client for blocking use.
     *
     * @return the other view
     */
    SignalboxQuorum blocking();

    /**
     * Starts the goodbye and returns at once: what waits fails, what is held is given back, connections are closed. Idempotent.
     */
    @Override
    void close();

    /**
     * {@link #close()} that tells when it is done, or the store timeout has passed.
     *
     * @return completes then
     */
    CompletableFuture<@Nullable Void> closeAsync();
}
