package io.signalbox.java.quorum;

import io.signalbox.java.internal.Nulls;
import io.signalbox.java.internal.quorum.QuorumClients;
import java.time.Duration;
import java.util.List;

/**
 * A client of 3, 5 or 7 independent servers, of which a majority decides: where semaphores and mutexes come from that go on when one of the servers
 * dies, and lose nothing with it; blocking view.
 *
 * <p>It has less than a client of one server: no strict order over processes, no several permits in one acquire, no {@code addPermits}, no max
 * hold, no attaching, no events, no timers, no listeners. Safe to use from any thread.
 */
public interface SignalboxQuorum extends AutoCloseable {
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
     * @throws io.signalbox.PermitsMismatchException if a majority knows it with another declared count
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumSemaphore semaphore(String name, int permits) throws InterruptedException;

    /**
     * As the other, with a time limit. The first call for a name within a client decides; a later one with others fails.
     *
     * @param name see the other
     * @param permits 1 to 1024
     * @param acquireTimeout how long its {@code acquire()} waits, 1 ms or more
     * @return the semaphore
     * @throws io.signalbox.PermitsMismatchException if a majority knows it with another declared count
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumSemaphore semaphore(String name, int permits, Duration acquireTimeout) throws InterruptedException;

    /**
     * Creates or joins the mutex.
     *
     * @param name as of semaphores, with which a mutex of the same name has nothing to do
     * @return the mutex
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumMutex mutex(String name) throws InterruptedException;

    /**
     * As the other, with a time limit. The first call for a name within a client decides; a later one with others fails.
     *
     * @param name as of semaphores
     * @param lockTimeout how long its {@code lock()} waits, 1 ms or more
     * @return the mutex
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumMutex mutex(String name, Duration lockTimeout) throws InterruptedException;

    /**
     * The same client for use with futures.
     *
     * @return the other view
     */
    AsyncSignalboxQuorum async();

    /**
     * Ends the client: what waits fails, what is held is given back, connections are closed. Blocks until that is done, or the store timeout has
     * passed. Idempotent.
     */
    @Override
    void close();

    /**
     * Makes a client of independent masters; connections are opened by the first call that needs them.
     *
     * @param uris 3, 5 or 7 addresses of different servers, the same set for every client
     * @return a new client
     * @throws IllegalArgumentException if there are not 3, 5 or 7 of them, one is given twice, or one cannot be used
     */
    static SignalboxQuorum connect(List<String> uris) {
        return connect(uris, QuorumOptions.defaults());
    }

    /**
     * Makes a client of independent masters; connections are opened by the first call that needs them.
     *
     * @param uris 3, 5 or 7 addresses of different servers, the same set for every client
     * @param options how it is to be
     * @return a new client
     * @throws IllegalArgumentException if there are not 3, 5 or 7 of them, one is given twice, or one or an option cannot be used
     */
    static SignalboxQuorum connect(List<String> uris, QuorumOptions options) {
        return QuorumClients.connect(List.copyOf(Nulls.allGiven(uris, "uris")), Nulls.given(options, "options"));
    }

    /**
     * Makes a client of masters in memory, for tests.
     *
     * @param masters shared by all clients that are made with them
     * @return a new client
     */
    static SignalboxQuorum inMemory(InMemoryMasters masters) {
        return inMemory(masters, QuorumOptions.defaults());
    }

    /**
     * Makes a client of masters in memory, for tests.
     *
     * @param masters shared by all clients that are made with them
     * @param options how it is to be
     * @return a new client
     * @throws IllegalArgumentException if an option cannot be used
     */
    static SignalboxQuorum inMemory(InMemoryMasters masters, QuorumOptions options) {
        return QuorumClients.inMemory(Nulls.given(masters, "masters").core(), Nulls.given(options, "options"));
    }
}
