package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Lock;
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
     * {@link #lock(Duration)} whose answer is empty when {@code timeout} passes first; at once if the thread holds it through
     * {@code withLock}, where it will not be free in any time.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, or empty if it was not granted in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryLock(Duration timeout) throws InterruptedException;

    /**
     * {@link #lock()} with a time limit or a max hold of its own.
     *
     * @param options what to do differently; of one permit
     * @return the lock as held, to be closed or released
     * @throws IllegalStateException if the thread holds it through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if it was not granted in time
     * @throws io.signalbox.TooManyWaitersException if as many wait as may
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit lock(AcquireOptions options) throws InterruptedException;

    /**
     * {@link #lock(AcquireOptions)} whose answer is empty if it was not granted in time.
     *
     * @param options what to do differently; without a time limit it does not wait
     * @return the lock as held, or empty
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryLock(AcquireOptions options) throws InterruptedException;

    /**
     * Runs {@code work} on this thread while holding the lock, and gives it back on every path; {@link Semaphore#withPermit(Work)} of a
     * mutex.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws IllegalStateException if the thread is in such a call of the same mutex already
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withLock(Work<T, X> work)
            throws X, InterruptedException {
        return withLock(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLock(Work)} for work without a result.
     *
     * @param <X> what the work fails with
     * @param work what to do while holding the lock
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <X extends Exception> void withLock(Action<X> work) throws X, InterruptedException {
        withLock(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLock(Work)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withLock(PermitCallable<T, X> work)
            throws X, InterruptedException {
        return withLock(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLock(Work)} for work without a result that wants to know the permit.
     *
     * @param <X> what the work fails with
     * @param work what to do while holding the lock
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <X extends Exception> void runWithLock(PermitAction<X> work) throws X, InterruptedException {
        runWithLock(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLock(Work)} with a time limit or a max hold of its own.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws io.signalbox.AcquireTimeoutException if the lock is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withLock(AcquireOptions options, Work<T, X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        return withLock(options, (PermitCallable<T, X>) permit -> work.call());
    }

    /**
     * {@link #withLock(AcquireOptions, Work)} for work without a result.
     *
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the lock
     * @throws io.signalbox.AcquireTimeoutException if the lock is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <X extends Exception> void withLock(AcquireOptions options, Action<X> work) throws X, InterruptedException {
        Nulls.given(work, "work");
        Nulls.given(options, "options");
        runWithLock(options, permit -> work.run());
    }

    /**
     * {@link #withLock(AcquireOptions, Work)} for work without a result that wants to know the permit.
     *
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the lock
     * @throws io.signalbox.AcquireTimeoutException if the lock is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <X extends Exception> void runWithLock(AcquireOptions options, PermitAction<X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        this.<@Nullable Object, X>withLock(Nulls.given(options, "options"), permit -> {
            work.run(permit);
            return null;
        });
    }

    /**
     * {@link #withLock(AcquireOptions, Work)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the lock
     * @return what the work returned
     * @throws io.signalbox.AcquireTimeoutException if the lock is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> T withLock(AcquireOptions options, PermitCallable<T, X> work)
            throws X, InterruptedException;

    /**
     * {@link #withLock(AcquireOptions, PermitCallable)} that says by its result whether the lock is granted in time: so work that returned {@code null} is
     * told apart from work that was not done.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently; without a time limit it does not wait
     * @param work what to do while holding the lock
     * @return what became of it
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> Attempt<T> tryWithLock(
            AcquireOptions options, PermitCallable<T, X> work) throws X, InterruptedException;

    /**
     * {@link #tryWithLock(AcquireOptions, PermitCallable)} with nothing but a time limit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param work what to do while holding the lock
     * @return what became of it
     * @throws io.signalbox.LeaseLostException if the lock was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the lock is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> Attempt<T> tryWithLock(
            Duration timeout, PermitCallable<T, X> work) throws X, InterruptedException {
        return tryWithLock(AcquireOptions.within(Nulls.given(timeout, "timeout")), work);
    }

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
     * Who holds it, or had it and keeps it from others ({@link SemaphoreSnapshot.Holder#isKept()}): client, label, fencing token, age, remaining lease.
     *
     * @return the holder, or empty if it is free
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Optional<SemaphoreSnapshot.Holder> owner() throws InterruptedException;

    /**
     * {@code revoke} that waits for the client's lease.
     *
     * @param fencingToken as a snapshot shows it
     * @return whether it was held
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    boolean revoke(long fencingToken) throws InterruptedException;

    /**
     * Takes a permit from whoever holds it: for an operator, when a holder hangs but its client lives. Its client is told, loses the permit, interrupts the
     * work, and says so; {@code LeaseLostException} has the label of this client. A client that has not obeyed in time loses its whole session there: then
     * somebody else may be granted the permit while the old holder still runs; its fencing token is older.
     *
     * @param fencingToken as a snapshot shows it
     * @param patience how long to wait for the client to obey, zero or more; without waiters it hears of it with its next heartbeat
     * @return whether it was held
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    boolean revoke(long fencingToken, Duration patience) throws InterruptedException;

    /**
     * Ends the mutex for everybody now: what is stored is forgotten but for its last fencing token, holders lose what they have, and who waits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    boolean delete() throws InterruptedException;

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
     * This mutex as a {@link Lock}, for frameworks that want one; a {@link #withLock(Work)} says more. Reentrant, per thread: who holds it through this view may lock
     * again, and unlocks as often. What it cannot do:
     *
     * <ul>
     *   <li>Nothing interrupts the thread if the lock is lost; {@code unlock()} tells it afterwards, by an {@link IllegalMonitorStateException}, and locking again
     *       before that fails in the same way. There is no fencing token.
     *   <li>It is held by a thread: not for virtual time, callbacks or futures. Another view of the same mutex, as {@link #lock()}, is not reentered and waits
     *       for it.
     *   <li>{@code lock()} and {@code tryLock()} do not react to interrupts, as {@link Lock} wants it; the interrupt status is set afterwards. They fail with the
     *       exceptions of {@link #lock()} if the server does.
     *   <li>{@code newCondition()} is not supported: use an {@link Event}.
     * </ul>
     *
     * @return the same object each time
     */
    Lock asLock();

    /**
     * The same mutex for asynchronous use.
     *
     * @return the other view
     */
    AsyncMutex async();
}
