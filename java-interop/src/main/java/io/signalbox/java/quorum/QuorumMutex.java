package io.signalbox.java.quorum;

import io.signalbox.java.Permit;
import io.signalbox.java.PermitCallable;
import io.signalbox.java.Work;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A lock that a majority of independent masters keeps: a {@link QuorumSemaphore} of one permit; blocking view. Its fencing tokens are strictly growing from
 * holder to holder.
 *
 * <p>Not reentrant: a thread that asks again for what it holds through {@code withLock} gets an error instead of waiting for itself.
 */
public interface QuorumMutex {
    /**
     * The name given to {@link SignalboxQuorum#mutex(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until the lock is held, as long as the time limit of the handle allows: for ever by default.
     *
     * @return the lock as held, to be closed or released
     * @throws IllegalStateException if the thread holds it through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if the limit of the handle passes first
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Permit lock() throws InterruptedException;

    /**
     * {@link #lock()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, to be closed or released
     * @throws IllegalStateException if the thread holds it through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Permit lock(Duration timeout) throws InterruptedException;

    /**
     * Takes the lock if it is free.
     *
     * @return the lock as held, or empty
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryLock() throws InterruptedException;

    /**
     * {@link #lock(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, or empty
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryLock(Duration timeout) throws InterruptedException;

    /**
     * Runs {@code work} while holding the lock, and gives it back on every path.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding it
     * @return what the work results in
     * @throws IllegalStateException if the thread is in such a call of the same mutex already
     * @throws io.signalbox.LeaseLostException if it was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withLock(Work<T, X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        return withLock((PermitCallable<T, X>) permit -> work.call());
    }

    /**
     * As the other, for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding it
     * @return what the work results in
     * @throws IllegalStateException if the thread is in such a call of the same mutex already
     * @throws io.signalbox.LeaseLostException if it was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> T withLock(PermitCallable<T, X> work)
            throws X, InterruptedException;

    /**
     * Whether somebody holds it, or waits for it, or no majority votes. A look: it may have changed at once.
     *
     * @return whether it is
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean isLocked() throws InterruptedException;

    /**
     * Who holds it.
     *
     * @return the holder, or empty if it is free
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<QuorumSnapshot.Holder> owner() throws InterruptedException;

    /**
     * {@link #snapshot(int)} with a limit of 100.
     *
     * @return who holds it, how many wait, and how the masters are
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default QuorumSnapshot snapshot() throws InterruptedException {
        return snapshot(100);
    }

    /**
     * Who holds it, how many wait, and how the masters are.
     *
     * @param limit how many waiters to count at most, 1 to 10 000
     * @return who holds it, how many wait, and how the masters are
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumSnapshot snapshot(int limit) throws InterruptedException;

    /**
     * The same mutex for use with futures.
     *
     * @return the other view
     */
    AsyncQuorumMutex async();
}
