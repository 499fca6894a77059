package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A counting semaphore shared by every process that uses the same server, namespace and name; blocking view.
 *
 * <p>At most so many unexpired permits exist at any instant of the server. They are granted strictly in the order in which acquires reached the
 * server, across processes. A permit lives as long as its client talks to the server: for one lease after the last exchange, renewed in the
 * background, or until its max hold.
 *
 * <p>All methods park the thread while they wait and hold no lock meanwhile, so virtual threads release their carrier. Interrupting the thread
 * withdraws the call; see the {@linkplain io.signalbox.java package description}. A thread whose interrupt status is set on entry gets {@link
 * InterruptedException} before anything is sent. All methods throw {@code SignalboxClosedException} after the client was closed, and {@code
 * StoreUnavailableException} if the server gives no answer in time.
 */
public interface Semaphore {
    /** The largest number of permits of one semaphore: 1 000 000 000. */
    int MAX_PERMITS = 1_000_000_000;

    /**
     * The name given to {@link Signalbox#semaphore(String, int)} or {@link Signalbox#attach(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * {@link #acquire(int)} of one permit.
     *
     * @return the permit
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    default Permit acquire() throws InterruptedException {
        return acquire(1);
    }

    /**
     * Acquires permits at once, atomically, waiting as long as {@link SemaphoreOptions.Builder#acquireTimeout(Duration)} allows: for ever by
     * default. Once it has a place in the queue it also waits through an outage of the server.
     *
     * @param permits at least 1; more than the semaphore has fails at once
     * @return the permits as one grant
     * @throws IllegalArgumentException if so many can never be granted, now or after a resize
     * @throws io.signalbox.AcquireTimeoutException if the option's limit passes first
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit acquire(int permits) throws InterruptedException;

    /**
     * {@link #acquire(int, Duration)} of one permit.
     *
     * @param timeout zero or more
     * @return the permit
     * @throws io.signalbox.AcquireTimeoutException if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    default Permit acquire(Duration timeout) throws InterruptedException {
        return acquire(1, timeout);
    }

    /**
     * {@link #acquire(int)} that gives up after {@code timeout}.
     *
     * @param permits at least 1
     * @param timeout zero is one attempt that does not wait; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permits as one grant
     * @throws io.signalbox.AcquireTimeoutException if they were not granted in time; the place in the queue is given up
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit acquire(int permits, Duration timeout) throws InterruptedException;

    /**
     * {@link #tryAcquire(int)} of one permit.
     *
     * @return the permit, or empty if none is free
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Optional<Permit> tryAcquire() throws InterruptedException {
        return tryAcquire(1);
    }

    /**
     * Acquires permits if they are free and nobody waits for them, in one round trip.
     *
     * @param permits at least 1
     * @return the permits as one grant, or empty
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryAcquire(int permits) throws InterruptedException;

    /**
     * {@link #tryAcquire(int, Duration)} of one permit.
     *
     * @param timeout zero or more
     * @return the permit, or empty if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    default Optional<Permit> tryAcquire(Duration timeout) throws InterruptedException {
        return tryAcquire(1, timeout);
    }

    /**
     * {@link #acquire(int, Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param permits at least 1
     * @param timeout zero is one attempt that does not wait; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permits as one grant, or empty if they were not granted in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryAcquire(int permits, Duration timeout) throws InterruptedException;

    /**
     * Acquires a permit, runs {@code work} on this thread, and gives the permit back on every path, without waiting for the server: use
     * {@link Permit#release()} when order between processes matters.
     *
     * <p>If the permit is lost meanwhile (its lease could not be renewed, or its max hold passed) the thread is interrupted, before the server
     * can give the permit to somebody else; that interrupt does not outlive this call. Work that ignores interrupts, or a process that was
     * frozen, can only be stopped by what the work writes to: see {@link Grant#fencingToken()}.
     *
     * @param <T> what the work results in
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws Exception what the work throws
     */
    default <T extends @Nullable Object> T withPermit(Callable<T> work) throws Exception {
        Objects.requireNonNull(work, "work");
        return withPermit(1, permit -> work.call());
    }

    /**
     * {@link #withPermit(Callable)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws Exception what the work throws
     */
    default <T extends @Nullable Object> T withPermit(PermitCallable<T> work) throws Exception {
        return withPermit(1, work);
    }

    /**
     * {@link #withPermit(Callable)} with several permits at once.
     *
     * @param <T> what the work results in
     * @param permits at least 1
     * @param work what to do while holding them
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permits were lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permits are there
     * @throws Exception what the work throws
     */
    <T extends @Nullable Object> T withPermit(int permits, PermitCallable<T> work) throws Exception;

    /**
     * The current number of permits: the declared count, or what {@link #resize(int)} and {@link #addPermits(int)} made of it.
     *
     * @return 0 or more
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    int permits() throws InterruptedException;

    /**
     * How many permits could be acquired now; 0 while more are held than a resize has left, and in quarantine.
     *
     * @return 0 or more
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    int availablePermits() throws InterruptedException;

    /**
     * Whether {@link #tryAcquire()} would be refused now: no permit is free, others wait for them, or it is in quarantine.
     *
     * @return whether it is locked
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean isLocked() throws InterruptedException;

    /**
     * {@link #snapshot(int)} with a limit of 1000.
     *
     * @return who holds and who waits
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default SemaphoreSnapshot snapshot() throws InterruptedException {
        return snapshot(1000);
    }

    /**
     * Who holds and who waits, at one instant of the server.
     *
     * @param limit how many holders, and how many waiters, to list at most, 1 to 10 000; the counts are always complete
     * @return who holds and who waits
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    SemaphoreSnapshot snapshot(int limit) throws InterruptedException;

    /**
     * Sets the current number of permits, for every process. Growing grants to the queue at once. Shrinking revokes nothing: holders keep their
     * permits, the surplus is withdrawn as it comes back; acquires in the queue that no longer fit fail. The declared count stays.
     *
     * @param permits 0 to {@link #MAX_PERMITS}
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    void resize(int permits) throws InterruptedException;

    /**
     * Adds to the current number of permits, for every process; exactly once, even if the connection fails in between.
     *
     * @param permits at least 1; the sum may not exceed {@link #MAX_PERMITS}
     * @return the new number of permits
     * @throws IllegalStateException if the semaphore is bounded: see {@link SemaphoreOptions.Builder#bounded(boolean)}
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    int addPermits(int permits) throws InterruptedException;

    /**
     * The same semaphore for asynchronous use.
     *
     * @return the other view
     */
    AsyncSemaphore async();
}
