package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * A lock shared by processes: a {@link Semaphore} of one permit, with the same order, leases, fencing tokens and interruption; blocking view.
 *
 * <p>Not reentrant: a thread that asks again for what it holds through {@code withLock} gets an {@link IllegalStateException} instead of waiting
 * for itself. What it holds through {@link #lock()} belongs to no thread: asking again waits. A mutex and a semaphore of the same name have
 * nothing to do with each other.
 */
public interface Mutex {
    /**
     * The name given to {@link Signalbox#mutex(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until the lock is held, as long as {@link MutexOptions.Builder#lockTimeout(Duration)} allows: for ever by default.
     *
     * @return the lock as held, to be closed or released
     * @throws IllegalStateException if the thread holds it through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if the option's limit passes first
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit lock() throws InterruptedException;

    /**
     * {@link #lock()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, to be closed or released
     * @throws IllegalStateException if the thread holds it through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit lock(Duration timeout) throws InterruptedException;

    /**
     * Takes the lock if it is free and nobody waits for it, in one round trip.
     *
     * @return the lock as held, or empty
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<Permit> tryLock() throws InterruptedException;

    /**
     * {@link #lock(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, or empty if it was not granted in time
     * @throws IllegalStateException if the thread holds it through {@code withLock}, and {@code timeout} is not zero
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryLock(Duration timeout) throws InterruptedException;

    /**
     * Runs {@code work} on this thread while holding the lock, and gives it back on every path; {@link Semaphore#withPermit(Callable)} of a
     * mutex.
     *
     * @param <T> what the work results in
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws IllegalStateException if the thread is in such a call of the same mutex already
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws Exception what the work throws
     */
    default <T extends @Nullable Object> T withLock(Callable<T> work) throws Exception {
        Objects.requireNonNull(work, "work");
        return withLock(permit -> work.call());
    }

    /**
     * {@link #withLock(Callable)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws IllegalStateException if the thread is in such a call of the same mutex already
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws Exception what the work throws
     */
    <T extends @Nullable Object> T withLock(PermitCallable<T> work) throws Exception;

    /**
     * Whether somebody holds it, or waits for it. A look: it may have changed at once.
     *
     * @return whether it is locked
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean isLocked() throws InterruptedException;

    /**
     * Who holds it: client, label, fencing token, age, remaining lease.
     *
     * @return the holder, or empty if it is free
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<SemaphoreSnapshot.Holder> owner() throws InterruptedException;

    /**
     * {@link #snapshot(int)} with a limit of 100.
     *
     * @return who holds and who waits
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default SemaphoreSnapshot snapshot() throws InterruptedException {
        return snapshot(100);
    }

    /**
     * Who holds it and who waits, at one instant of the server.
     *
     * @param limit how many waiters to list at most, 1 to 10 000
     * @return who holds and who waits
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    SemaphoreSnapshot snapshot(int limit) throws InterruptedException;

    /**
     * The same mutex for asynchronous use.
     *
     * @return the other view
     */
    AsyncMutex async();
}
