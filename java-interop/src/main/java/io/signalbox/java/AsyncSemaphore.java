package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A counting semaphore shared by every process that uses the same server, namespace and name; asynchronous view.
 *
 * <p>{@link Semaphore} says what it does and promises. No method blocks. What a method is documented to throw there, its future completes
 * exceptionally with here. Requests leave in the order of the calls.
 *
 * <p>Cancelling a future that a method returned withdraws the call, and a permit granted at that very moment is given back; stages that depend
 * on it do not pass their cancellation on. Futures are completed on the callback executor. See the {@linkplain io.signalbox.java package
 * description}.
 */
public interface AsyncSemaphore {
    /**
     * The name given to {@link AsyncSignalbox#semaphore(String, int)} or {@link AsyncSignalbox#attach(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * {@link #acquire(int)} of one permit.
     *
     * @return the permit, to be released or closed
     */
    default CompletableFuture<AsyncPermit> acquire() {
        return acquire(1);
    }

    /**
     * Acquires permits at once, atomically, waiting as long as {@link SemaphoreOptions.Builder#acquireTimeout(Duration)} allows: for ever by
     * default. Once it has a place in the queue it also waits through an outage of the server.
     *
     * @param permits at least 1; more than the semaphore has fails at once
     * @return the permits as one grant; exceptionally with {@code AcquireTimeoutException} if the option's limit passes first
     */
    CompletableFuture<AsyncPermit> acquire(int permits);

    /**
     * {@link #acquire(int, Duration)} of one permit.
     *
     * @param timeout zero or more
     * @return the permit; exceptionally with {@code AcquireTimeoutException} if it was not granted in time
     */
    default CompletableFuture<AsyncPermit> acquire(Duration timeout) {
        return acquire(1, timeout);
    }

    /**
     * {@link #acquire(int)} that gives up after {@code timeout}.
     *
     * @param permits at least 1
     * @param timeout zero is one attempt that does not wait; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permits as one grant; exceptionally with {@code AcquireTimeoutException} if they were not granted in time
     */
    CompletableFuture<AsyncPermit> acquire(int permits, Duration timeout);

    /**
     * {@link #tryAcquire(int)} of one permit.
     *
     * @return the permit, or empty if none is free
     */
    default CompletableFuture<Optional<AsyncPermit>> tryAcquire() {
        return tryAcquire(1);
    }

    /**
     * Acquires permits if they are free and nobody waits for them, in one round trip.
     *
     * @param permits at least 1
     * @return the permits as one grant, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryAcquire(int permits);

    /**
     * {@link #tryAcquire(int, Duration)} of one permit.
     *
     * @param timeout zero or more
     * @return the permit, or empty if it was not granted in time
     */
    default CompletableFuture<Optional<AsyncPermit>> tryAcquire(Duration timeout) {
        return tryAcquire(1, timeout);
    }

    /**
     * {@link #acquire(int, Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param permits at least 1
     * @param timeout zero is one attempt that does not wait; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permits as one grant, or empty if they were not granted in time
     */
    CompletableFuture<Optional<AsyncPermit>> tryAcquire(int permits, Duration timeout);

    /**
     * Acquires a permit, starts {@code work}, and gives the permit back when its stage has ended, on every path.
     *
     * <p>If the permit is lost meanwhile, {@link CompletableFuture#cancel(boolean)} is called on the work's stage, before the server can give
     * the permit to somebody else, and the future completes exceptionally with {@code LeaseLostException}. Cancelling the future cancels
     * the work's stage, too; the permit is given back when that stage has ended, which it has at once if it is the {@link CompletableFuture}
     * that was cancelled. Cancelling a future does not stop a computation that merely completes it: that is what {@link
     * Grant#fencingToken()} and {@link Grant#onLost(Runnable)} are for.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding the permit; called on the callback executor, or on this thread if the permit was
     *     there at once
     * @return what the work's stage resulted in, once the permit has been given back; exceptionally with what {@code work} throws, what its
     *     stage fails with, or {@code LeaseLostException} if the permit was lost before
     */
    default <T extends @Nullable Object> CompletableFuture<T> withPermit(Supplier<? extends CompletionStage<T>> work) {
        Nulls.given(work, "work");
        return withPermit(1, permit -> work.get());
    }

    /**
     * {@link #withPermit(Supplier)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding the permit
     * @return what the work's stage resulted in, once the permit has been given back
     */
    default <T extends @Nullable Object> CompletableFuture<T> withPermit(
            Function<? super AsyncPermit, ? extends CompletionStage<T>> work) {
        return withPermit(1, work);
    }

    /**
     * {@link #withPermit(Supplier)} with several permits at once.
     *
     * @param <T> what the work results in
     * @param permits at least 1
     * @param work starts what is to be done while holding them
     * @return what the work's stage resulted in, once the permits have been given back
     */
    <T extends @Nullable Object> CompletableFuture<T> withPermit(
            int permits, Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * Acquires permits with a time limit or a max hold of its own.
     *
     * @param options what to do differently
     * @return the permits as one grant; exceptionally with {@code AcquireTimeoutException} if they were not granted in time
     */
    CompletableFuture<AsyncPermit> acquire(AcquireOptions options);

    /**
     * {@link #acquire(AcquireOptions)} whose answer is empty if the permits were not granted in time.
     *
     * @param options what to do differently; without a time limit it does not wait
     * @return the permits as one grant, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryAcquire(AcquireOptions options);

    /**
     * {@code withPermit} with a time limit or a max hold of its own.
     *
     * @param <T> what the work results in
     * @param options what to do differently
     * @param work starts what is to be done while holding the permit
     * @return what the work's stage resulted in; exceptionally with {@code AcquireTimeoutException} if the permit was not granted in time
     */
    <T extends @Nullable Object> CompletableFuture<T> withPermit(
            AcquireOptions options, Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * {@code withPermit} that says by its result whether the permit was granted in time.
     *
     * @param <T> what the work results in
     * @param options what to do differently; without a time limit it does not wait
     * @param work starts what is to be done while holding the permit
     * @return what became of it
     */
    <T extends @Nullable Object> CompletableFuture<Attempt<T>> tryWithPermit(
            AcquireOptions options, Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * {@link #tryWithPermit(AcquireOptions, Function)} with nothing but a time limit.
     *
     * @param <T> what the work results in
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param work starts what is to be done while holding the permit
     * @return what became of it
     */
    default <T extends @Nullable Object> CompletableFuture<Attempt<T>> tryWithPermit(
            Duration timeout, Function<? super AsyncPermit, ? extends CompletionStage<T>> work) {
        return tryWithPermit(AcquireOptions.within(Nulls.given(timeout, "timeout")), work);
    }

    /**
     * The current number of permits: the declared count, or what {@link #resize(int)} and {@link #addPermits(int)} made of it.
     *
     * @return 0 or more
     */
    CompletableFuture<Integer> permits();

    /**
     * How many permits could be acquired now; 0 while more are held than a resize has left, and in quarantine.
     *
     * @return 0 or more
     */
    CompletableFuture<Integer> availablePermits();

    /**
     * Whether {@link #tryAcquire()} would be refused now: no permit is free, others wait for them, or it is in quarantine.
     *
     * @return whether it is locked
     */
    CompletableFuture<Boolean> isLocked();

    /**
     * {@link #snapshot(int)} with a limit of 1000.
     *
     * @return who holds and who waits
     */
    default CompletableFuture<SemaphoreSnapshot> snapshot() {
        return snapshot(1000);
    }

    /**
     * Who holds and who waits, at one instant of the server.
     *
     * @param limit how many holders, and how many waiters, to list at most, 1 to 10 000; the counts are always complete
     * @return who holds and who waits
     */
    CompletableFuture<SemaphoreSnapshot> snapshot(int limit);

    /**
     * Sets the current number of permits, for every process; see {@link Semaphore#resize(int)}.
     *
     * @param permits 0 to {@link Semaphore#MAX_PERMITS}
     * @return completed when it is done; after a cancellation it may be done or not
     */
    CompletableFuture<@Nullable Void> resize(int permits);

    /**
     * Changes the declaration: this is the declared count from now on, for every process, and the current one as by {@code resize}. Clients that run go
     * on, whatever they declared.
     *
     * @param permits 0 to {@link Semaphore#MAX_PERMITS}
     * @return done; after a cancellation it may be or not
     */
    CompletableFuture<@Nullable Void> redeclare(int permits);

    /**
     * {@code revoke} that waits for the client's lease.
     *
     * @param fencingToken as a snapshot shows it
     * @return whether it was held
     */
    CompletableFuture<Boolean> revoke(long fencingToken);

    /**
     * Takes a permit from whoever holds it: for an operator, when a holder hangs but its client lives. Its client is told, loses the permit, interrupts the
     * work, and says so; {@code LeaseLostException} has the label of this client. A client that has not obeyed in time loses its whole session there: then
     * somebody else may be granted the permit while the old holder still runs; its fencing token is older.
     *
     * @param fencingToken as a snapshot shows it
     * @param patience how long to wait for the client to obey, zero or more; without waiters it hears of it with its next heartbeat
     * @return whether it was held
     */
    CompletableFuture<Boolean> revoke(long fencingToken, Duration patience);

    /**
     * Ends the semaphore for everybody now: what is stored is forgotten but for its last fencing token, holders lose what they have, and who waits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     */
    CompletableFuture<Boolean> delete();

    /**
     * Adds to the current number of permits, for every process; exactly once, even if the connection fails in between.
     *
     * @param permits at least 1; the sum may not exceed {@link Semaphore#MAX_PERMITS}
     * @return the new number of permits; exceptionally with {@link IllegalStateException} if the semaphore is bounded; after a cancellation it
     *     may be done or not
     */
    CompletableFuture<Integer> addPermits(int permits);

    /**
     * The same semaphore for blocking use.
     *
     * @return the other view
     */
    Semaphore blocking();
}
