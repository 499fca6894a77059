package io.signalbox.java.quorum;

import io.signalbox.java.AsyncPermit;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A lock that a majority of independent masters keeps: an {@link AsyncQuorumSemaphore} of one permit; asynchronous view. Its fencing tokens are strictly growing from
 * holder to holder.
 *
 * <p>Not reentrant: futures have no thread that could be recognised, so work that asks for the lock that it runs under waits for itself.
 */
public interface AsyncQuorumMutex {
    /**
     * The name given to {@link AsyncSignalboxQuorum#mutex(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until the lock is held, as long as the time limit of the handle allows: for ever by default.
     *
     * @return the lock as held, to be closed or released
     */
    CompletableFuture<AsyncPermit> lock();

    /**
     * {@link #lock()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, to be closed or released
     */
    CompletableFuture<AsyncPermit> lock(Duration timeout);

    /**
     * Takes the lock if it is free.
     *
     * @return the lock as held, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryLock();

    /**
     * {@link #lock(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the lock as held, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryLock(Duration timeout);

    /**
     * Runs {@code work} while holding the lock, and gives it back on every path.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding it
     * @return what the work results in
     */
    default <T extends @Nullable Object> CompletableFuture<T> withLock(Supplier<? extends CompletionStage<T>> work) {
        Nulls.given(work, "work");
        return withLock(permit -> work.get());
    }

    /**
     * As the other, for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding it
     * @return what the work results in
     */
    <T extends @Nullable Object> CompletableFuture<T> withLock(
            Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * Whether somebody holds it, or waits for it, or no majority votes. A look: it may have changed at once.
     *
     * @return whether it is
     */
    CompletableFuture<Boolean> isLocked();

    /**
     * Who holds it.
     *
     * @return the holder, or empty if it is free
     */
    CompletableFuture<Optional<QuorumSnapshot.Holder>> owner();

    /**
     * {@link #snapshot(int)} with a limit of 100.
     *
     * @return who holds it, how many wait, and how the masters are
     */
    default CompletableFuture<QuorumSnapshot> snapshot() {
        return snapshot(100);
    }

    /**
     * Who holds it, how many wait, and how the masters are.
     *
     * @param limit how many waiters to count at most, 1 to 10 000
     * @return who holds it, how many wait, and how the masters are
     */
    CompletableFuture<QuorumSnapshot> snapshot(int limit);

    /**
     * The same mutex for blocking use.
     *
     * @return the other view
     */
    QuorumMutex blocking();
}
