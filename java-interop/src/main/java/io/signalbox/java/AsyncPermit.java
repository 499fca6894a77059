package io.signalbox.java;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** One grant of an {@link AsyncSemaphore} or {@link AsyncMutex}, and the duty to give it back. */
public non-sealed interface AsyncPermit extends Grant, AutoCloseable {
    /**
     * Gives the permit back. The request is on its way when this returns: cancelling the future does not take it back.
     *
     * @return completed when the server has confirmed, or when the lease is over: with whether the permit was still held; exceptionally with
     *     {@link IllegalStateException} if it was released or closed before
     */
    CompletableFuture<Boolean> release();

    /**
     * Moves the max hold of this permit to {@code hold} from now, by the server's clock.
     *
     * @param hold from 1 ms to 365 days
     * @return with whether the permit was still held; exceptionally with {@link IllegalStateException} if the semaphore has no max hold, or
     *     the permit was released
     */
    CompletableFuture<Boolean> extend(Duration hold);

    /**
     * Gives the permit back unless that was done before, and waits for nobody: use {@link #release()} when order between processes matters.
     * Idempotent. Its return is said until the server has heard of it; whatever this client asks later finds it given back.
     */
    @Override
    void close();

    /**
     * The same permit for blocking use.
     *
     * @return the other view
     */
    Permit blocking();
}
