package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
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
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses. A server that is there and silent is
     *     told from half a second on; with a shorter time limit it counts as others having the permits
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
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses. A server that is there and silent is
     *     told from half a second on; with a shorter time limit the answer is empty
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryAcquire(int permits, Duration timeout) throws InterruptedException;

    /**
     * {@link #acquire(int)} with a time limit or a max hold of its own.
     *
     * @param options what to do differently
     * @return the permits as one grant
     * @throws IllegalArgumentException if so many can never be granted, now or after a resize
     * @throws io.signalbox.AcquireTimeoutException if they were not granted in time; the place in the queue is given up
     * @throws io.signalbox.TooManyWaitersException if as many wait as may
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Permit acquire(AcquireOptions options) throws InterruptedException;

    /**
     * {@link #acquire(AcquireOptions)} whose answer is empty if the permits were not granted in time.
     *
     * @param options what to do differently; without a time limit it does not wait
     * @return the permits as one grant, or empty
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; the place in the queue is given up
     */
    Optional<Permit> tryAcquire(AcquireOptions options) throws InterruptedException;

    /**
     * Acquires a permit, runs {@code work} on this thread, and gives the permit back on every path, without waiting for the server: use
     * {@link Permit#release()} when order between processes matters.
     *
     * <p>If the permit is lost meanwhile (its lease could not be renewed, or its max hold passed) the thread is interrupted, before the server
     * can give the permit to somebody else; that interrupt does not outlive this call. Work that ignores interrupts, or a process that was
     * frozen, can only be stopped by what the work writes to: see {@link Grant#fencingToken()}.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withPermit(Work<T, X> work)
            throws X, InterruptedException {
        return withPermit(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withPermit(Work)} for work without a result.
     *
     * @param <X> what the work fails with
     * @param work what to do while holding the permit
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <X extends Exception> void withPermit(Action<X> work) throws X, InterruptedException {
        withPermit(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withPermit(Work)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withPermit(PermitCallable<T, X> work)
            throws X, InterruptedException {
        return withPermit(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withPermit(Work)} for work without a result that wants to know the permit.
     *
     * @param <X> what the work fails with
     * @param work what to do while holding the permit
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <X extends Exception> void runWithPermit(PermitAction<X> work) throws X, InterruptedException {
        runWithPermit(AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withPermit(Work)} with a time limit or a max hold of its own.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.AcquireTimeoutException if the permit is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withPermit(AcquireOptions options, Work<T, X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        return withPermit(options, (PermitCallable<T, X>) permit -> work.call());
    }

    /**
     * {@link #withPermit(AcquireOptions, Work)} for work without a result.
     *
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the permit
     * @throws io.signalbox.AcquireTimeoutException if the permit is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <X extends Exception> void withPermit(AcquireOptions options, Action<X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        Nulls.given(options, "options");
        runWithPermit(options, permit -> work.run());
    }

    /**
     * {@link #withPermit(AcquireOptions, Work)} for work without a result that wants to know the permit.
     *
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the permit
     * @throws io.signalbox.AcquireTimeoutException if the permit is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <X extends Exception> void runWithPermit(AcquireOptions options, PermitAction<X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        this.<@Nullable Object, X>withPermit(Nulls.given(options, "options"), permit -> {
            work.run(permit);
            return null;
        });
    }

    /**
     * {@link #withPermit(AcquireOptions, Work)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently
     * @param work what to do while holding the permit
     * @return what the work returned
     * @throws io.signalbox.AcquireTimeoutException if the permit is not granted in time; the work was not done
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> T withPermit(AcquireOptions options, PermitCallable<T, X> work)
            throws X, InterruptedException;

    /**
     * {@link #withPermit(AcquireOptions, PermitCallable)} that says by its result whether the permit is granted in time: so work that returned {@code null} is
     * told apart from work that was not done.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param options what to do differently; without a time limit it does not wait
     * @param work what to do while holding the permit
     * @return what became of it
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    <T extends @Nullable Object, X extends Exception> Attempt<T> tryWithPermit(
            AcquireOptions options, PermitCallable<T, X> work) throws X, InterruptedException;

    /**
     * {@link #tryWithPermit(AcquireOptions, PermitCallable)} with nothing but a time limit.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param work what to do while holding the permit
     * @return what became of it
     * @throws io.signalbox.LeaseLostException if the permit was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permit is there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> Attempt<T> tryWithPermit(
            Duration timeout, PermitCallable<T, X> work) throws X, InterruptedException {
        return tryWithPermit(AcquireOptions.within(Nulls.given(timeout, "timeout")), work);
    }

    /**
     * {@link #withPermit(Work)} with several permits at once.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param permits at least 1
     * @param work what to do while holding them
     * @return what the work returned
     * @throws io.signalbox.LeaseLostException if the permits were lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before the permits are there
     * @throws X what the work throws
     */
    default <T extends @Nullable Object, X extends Exception> T withPermit(int permits, PermitCallable<T, X> work)
            throws X, InterruptedException {
        return withPermit(AcquireOptions.defaults().permits(permits), work);
    }

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
     * Changes the declaration: this is the declared count from now on, for every process, and the current one as by {@code resize}. Clients that run go
     * on, whatever they declared.
     *
     * @param permits 0 to {@link Semaphore#MAX_PERMITS}
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    void redeclare(int permits) throws InterruptedException;

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
     * Ends the semaphore for everybody now: what is stored is forgotten but for its last fencing token, holders lose what they have, and who waits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    boolean delete() throws InterruptedException;

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
