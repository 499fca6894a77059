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
 * A lock shared by processes: an {@link AsyncSemaphore} of one permit, with the same order, leases, fencing tokens and cancellation;
 * asynchronous view.
 *
 * <p>Not reentrant. Futures have no thread that could be recognised: work that asks for the lock that it runs under waits for itself, until its
 * time limit if it has one.
 */
public interface AsyncMutex {
    /**
     * The name given to {@link AsyncSignalbox#mutex(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until the lock is held, as long as {@link MutexOptions.Builder#lockTimeout(Duration)} allows: for ever by default.
     *
     * @return the lock as held, to be closed or released; exceptionally with {@code AcquireTimeoutException} if the option's limit passes first
     */
    CompletableFuture<AsyncPermit> lock();

    /**
     * {@link #lock()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held; exceptionally with {@code AcquireTimeoutException} if it was not granted in time
     */
    CompletableFuture<AsyncPermit> lock(Duration timeout);

    /**
     * Takes the lock if it is free and nobody waits for it, in one round trip.
     *
     * @return the lock as held, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryLock();

    /**
     * {@link #lock(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, or empty if it was not granted in time
     */
    CompletableFuture<Optional<AsyncPermit>> tryLock(Duration timeout);

    /**
     * Starts {@code work} when the lock is held, and gives it back when its stage has ended, on every path; {@link
     * AsyncSemaphore#withPermit(Supplier)} of a mutex.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding the lock
     * @return what the work's stage resulted in, once the lock has been given back
     */
    default <T extends @Nullable Object> CompletableFuture<T> withLock(Supplier<? extends CompletionStage<T>> work) {
        Objects.requireNonNull(work, "work");
        return withLock(permit -> work.get());
    }

    /**
     * {@link #withLock(Supplier)} for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding the lock
     * @return what the work's stage resulted in, once the lock has been given back
     */
    <T extends @Nullable Object> CompletableFuture<T> withLock(
            Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * Whether somebody holds it, or waits for it. A look: it may have changed at once.
     *
     * @return whether it is locked
     */
    CompletableFuture<Boolean> isLocked();

    /**
     * Who holds it: client, label, fencing token, age, remaining lease.
     *
     * @return the holder, or empty if it is free
     */
    CompletableFuture<Optional<SemaphoreSnapshot.Holder>> owner();

    /**
     * {@link #snapshot(int)} with a limit of 100.
     *
     * @return who holds and who waits
     */
    default CompletableFuture<SemaphoreSnapshot> snapshot() {
        return snapshot(100);
    }

    /**
     * Who holds it and who waits, at one instant of the server.
     *
     * @param limit how many waiters to list at most, 1 to 10 000
     * @return who holds and who waits
     */
    CompletableFuture<SemaphoreSnapshot> snapshot(int limit);

    /**
     * The same mutex for blocking use.
     *
     * @return the other view
     */
    Mutex blocking();
}
