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
 * A counting semaphore that a majority of independent masters keeps; asynchronous view.
 *
 * <p>At most as many unexpired permits exist as it has, whichever minority of the masters is down, cut off or came back empty. Who waits longest is
 * likely to be next, but nothing promises it. A fencing token is unique, and larger than that of every grant which was complete before its
 * acquire began.
 */
public interface AsyncQuorumSemaphore {
    /**
     * The name given to {@link AsyncSignalboxQuorum#semaphore(String, int)}.
     *
     * @return the name
     */
    String name();

    /**
     * Waits until a permit is granted, as long as the time limit of the handle allows: for ever by default. Once a majority has answered it also
     * waits through an outage of the majority.
     *
     * @return the permit, to be closed or released
     */
    CompletableFuture<AsyncPermit> acquire();

    /**
     * {@link #acquire()} that gives up after {@code timeout}.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permit, to be closed or released
     */
    CompletableFuture<AsyncPermit> acquire(Duration timeout);

    /**
     * Acquires a permit if one is free.
     *
     * @return the permit, or empty if others have them or no majority votes
     */
    CompletableFuture<Optional<AsyncPermit>> tryAcquire();

    /**
     * {@link #acquire(Duration)} whose answer is empty when {@code timeout} passes first.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the permit, or empty
     */
    CompletableFuture<Optional<AsyncPermit>> tryAcquire(Duration timeout);

    /**
     * Runs {@code work} with a permit, and gives it back on every path.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding it
     * @return what the work results in
     */
    default <T extends @Nullable Object> CompletableFuture<T> withPermit(Supplier<? extends CompletionStage<T>> work) {
        Nulls.given(work, "work");
        return withPermit(permit -> work.get());
    }

    /**
     * As the other, for work that wants to know the permit.
     *
     * @param <T> what the work results in
     * @param work starts what is to be done while holding it
     * @return what the work results in
     */
    <T extends @Nullable Object> CompletableFuture<T> withPermit(
            Function<? super AsyncPermit, ? extends CompletionStage<T>> work);

    /**
     * The current number of permits.
     *
     * @return the declared count, or what {@link #resize(int)} made of it
     */
    CompletableFuture<Integer> permits();

    /**
     * How many permits could be acquired now; 0 while no majority votes. A look: it may have changed at once.
     *
     * @return 0 or more
     */
    CompletableFuture<Integer> availablePermits();

    /**
     * Whether {@link #tryAcquire()} would be refused now: none is free, others wait for them, or no majority votes.
     *
     * @return whether it is
     */
    CompletableFuture<Boolean> isLocked();

    /**
     * {@link #snapshot(int)} with a limit of 1000.
     *
     * @return who holds and who waits, and how the masters are
     */
    default CompletableFuture<QuorumSnapshot> snapshot() {
        return snapshot(1000);
    }

    /**
     * Who holds and who waits, and how the masters are. Each master is read at a moment of its own, those that answer in time.
     *
     * @param limit how many waiters to count at most, 1 to 10 000
     * @return who holds and who waits, and how the masters are
     */
    CompletableFuture<QuorumSnapshot> snapshot(int limit);

    /**
     * Sets the current number of permits, for every process. Then a majority knows it: no acquire that begins later gets a slot beyond it.
     * Growing tells those who wait. Shrinking revokes nothing: what is held beyond the new number stays
     * held until its release, beside what is left. Of two that overlap one wins, for all.
     *
     * @param permits 1 to 1024
     * @return completes when it is done
     */
    CompletableFuture<@Nullable Void> resize(int permits);

    /**
     * The same semaphore for blocking use.
     *
     * @return the other view
     */
    QuorumSemaphore blocking();
}
