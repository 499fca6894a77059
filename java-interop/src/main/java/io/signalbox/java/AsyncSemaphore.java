package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;
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
        Objects.requireNonNull(work, "work");
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
