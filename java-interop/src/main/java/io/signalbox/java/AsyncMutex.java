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
        Nulls.given(work, "work");
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
     * {@link #lock()} with a time limit or a max hold of its own.
     *
     * @param options what to do differently; of one permit
     * @return the lock as held; exceptionally with {@code AcquireTimeoutException} if it was not granted in time
     */
    CompletableFuture<AsyncPermit> lock(AcquireOptions options);

    /**
     * {@link #lock(AcquireOptions)} whose answer is empty if it was not granted in time.
     *
     * @param options what to do differently; without a time limit it does not wait
     * @return the lock as held, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryLock(AcquireOptions options);

    /**
     * {@code withLock} with a time limit or a max hold of its own.
     *
     * @param <T> what the work results in
     * @param options what to do differently
     * @param work starts what is to be done while holding the lock
     * @return what the work's stage resulted in; exceptionally with {@code AcquireTimeoutException} if the lock was not granted in time
     */
    <T extends @Nullable Object> CompletableFuture<T> withLock(
            AcquireOptions options, Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * {@code withLock} that says by its result whether the lock was granted in time.
     *
     * @param <T> what the work results in
     * @param options what to do differently; without a time limit it does not wait
     * @param work starts what is to be done while holding the lock
     * @return what became of it
     */
    <T extends @Nullable Object> CompletableFuture<Attempt<T>> tryWithLock(
            AcquireOptions options, Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * {@link #tryWithLock(AcquireOptions, Function)} with nothing but a time limit.
     *
     * @param <T> what the work results in
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param work starts what is to be done while holding the lock
     * @return what became of it
     */
    default <T extends @Nullable Object> CompletableFuture<Attempt<T>> tryWithLock(
            Duration timeout, Function<? super AsyncPermit, ? extends CompletionStage<T>> work) {
        return tryWithLock(AcquireOptions.within(Nulls.given(timeout, "timeout")), work);
    }

    /**
     * Whether somebody holds it, or waits for it. A look: it may have changed at once.
     *
     * @return whether it is locked
     */
    CompletableFuture<Boolean> isLocked();

    /**
     * Who holds it, or had it and keeps it from others ({@link SemaphoreSnapshot.Holder#isKept()}): client, label, fencing token, age, remaining lease.
     *
     * @return the holder, or empty if it is free
     */
    CompletableFuture<Optional<SemaphoreSnapshot.Holder>> owner();

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
     * Ends the mutex for everybody now: what is stored is forgotten but for its last fencing token, holders lose what they have, and who waits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     */
    CompletableFuture<Boolean> delete();

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
