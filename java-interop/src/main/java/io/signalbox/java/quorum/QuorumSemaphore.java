package io.signalbox.java.quorum;

import io.signalbox.java.Permit;
import io.signalbox.java.PermitCallable;
import io.signalbox.java.Work;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A counting semaphore that a majority of independent masters keeps; blocking view.
 *
 * <p>At most as many unexpired permits exist as it has, whichever minority of the masters is down, cut off or came back empty. Who waits longest is
 * likely to be next, but nothing promises it. A fencing token is unique, and larger than that of every grant which was complete before its
 * acquire began.
 */
public interface QuorumSemaphore {
    /**
     * The name given to {@link SignalboxQuorum#semaphore(String, int)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until a permit is granted, as long as the time limit of the handle allows: for ever by default. Once a majority has answered it also
     * waits through an outage of the majority.
     *
     * @return the permit, to be closed or released
     * @throws io.signalbox.AcquireTimeoutException if the limit of the handle passes first
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Permit acquire() throws InterruptedException;

    /**
     * {@link #acquire()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permit, to be closed or released
     * @throws io.signalbox.AcquireTimeoutException if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Permit acquire(Duration timeout) throws InterruptedException;

    /**
     * Acquires a permit if one is free.
     *
     * @return the permit, or empty if others have them or no majority votes
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryAcquire() throws InterruptedException;

    /**
     * {@link #acquire(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permit, or empty
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryAcquire(Duration timeout) throws InterruptedException;

    /**
     * Runs {@code work} with a permit, and gives it back on every path.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding it
     * @return what the work results in
     * @throws io.signalbox.LeaseLostException if it was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withPermit(Work<T, X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        return withPermit((PermitCallable<T, X>) permit -> work.call());
    }

    /**
     * As the other, for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding it
     * @return what the work results in
     * @throws io.signalbox.LeaseLostException if it was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> T withPermit(PermitCallable<T, X> work)
            throws X, InterruptedException;

    /**
     * The current number of permits.
     *
     * @return the declared count, or what {@link #resize(int)} made of it
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    int permits() throws InterruptedException;

    /**
     * How many permits could be acquired now; 0 while no majority votes. A look: it may have changed at once.
     *
     * @return 0 or more
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    int availablePermits() throws InterruptedException;

    /**
     * Whether {@link #tryAcquire()} would be refused now: none is free, others wait for them, or no majority votes.
     *
     * @return whether it is
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean isLocked() throws InterruptedException;

    /**
     * {@link #snapshot(int)} with a limit of 1000.
     *
     * @return who holds and who waits, and how the masters are
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default QuorumSnapshot snapshot() throws InterruptedException {
        return snapshot(1000);
    }

    /**
     * Who holds and who waits, and how the masters are. Each master is read at a moment of its own, those that answer in time.
     *
     * @param limit how many waiters to count at most, 1 to 10 000
     * @return who holds and who waits, and how the masters are
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    QuorumSnapshot snapshot(int limit) throws InterruptedException;

    /**
     * Sets the current number of permits, for every process. Then a majority knows it: no acquire that begins later gets a slot beyond it.
     * Growing tells those who wait. Shrinking revokes nothing: what is held beyond the new number stays
     * held until its release, beside what is left. Of two that overlap one wins, for all.
     *
     * @param permits 1 to 1024
     * @throws io.signalbox.StoreUnavailableException if no majority answers within the store timeout
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    void resize(int permits) throws InterruptedException;

    /**
     * The same semaphore for use with futures.
     *
     * @return the other view
     */
    AsyncQuorumSemaphore async();
}
