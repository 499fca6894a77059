package io.signalbox.java;

import java.time.Duration;

/**
 * One grant of a {@link Semaphore} or {@link Mutex}, and the duty to give it back.
 *
 * <pre>{@code
 * try (var permit = semaphore.acquire()) {
 *     call(permit.fencingToken());
 * }
 * }</pre>
 *
 * <p>Nothing interrupts that block if the permit is lost: ask {@link #isLost()}, or use {@code withPermit}, which does.
 */
public non-sealed interface Permit extends Grant, AutoCloseable {
    /**
     * Gives the permit back and waits until the server has confirmed it.
     *
     * <p>The request is on its way before this waits: interrupting the thread ends the wait, never the release. If the server cannot be
     * reached the wait ends, at the latest, when the lease does.
     *
     * @return whether the permit was still held; {@code false} if it had been lost, and somebody else may hold it now
     * @throws IllegalStateException if it was released or closed before: that is a bug of the caller
     * @throws io.signalbox.SignalboxClosedException if the client is closed and the server does not confirm within the store timeout; it
     *     is free when the lease ends, at the latest
     * @throws InterruptedException if the thread is interrupted before the server has confirmed
     */
    boolean release() throws InterruptedException;

    /**
     * Moves the max hold of this permit to {@code hold} from now, by the server's clock.
     *
     * @param hold from 1 ms to 365 days
     * @return whether the permit was still held; {@code false} if it had been lost
     * @throws IllegalStateException if the semaphore has no max hold, or the permit was released
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted while it waits; whether the hold was moved is then unknown
     */
    boolean extend(Duration hold) throws InterruptedException;

    /**
     * Gives the permit back unless that was done before, and waits for nobody: use {@link #release()} when order between processes matters, as
     * when another one is told and its {@code tryAcquire} must succeed. Idempotent. The permit is handed on to the next waiter of this client if
     * it is its turn, or its return is said until the server has heard of it; whatever this client asks later finds it given back.
     */
    @Override
    void close();

    /**
     * The same permit for asynchronous use.
     *
     * @return the other view
     */
    AsyncPermit async();
}
