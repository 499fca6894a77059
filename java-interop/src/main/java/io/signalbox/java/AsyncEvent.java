package io.signalbox.java;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Signals between processes, one to one: each {@link #set()} ends exactly one {@link #await()}, now or later; asynchronous view.
 *
 * <p>{@link Event} says what is kept and delivered, and when. Cancelling a future that a method returned leaves the queue, and loses no signal:
 * one that arrives at a future already cancelled is set again. Only if the server cannot be reached just then is it lost.
 */
public interface AsyncEvent {
    /**
     * The name given to {@link AsyncSignalbox#event(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Sets the event once: whoever waits longest gets the signal, else it is kept.
     *
     * @return completed when the server has confirmed; exceptionally with {@code EventFullException} if so many signals are kept already
     *     that nothing was set; after a cancellation it may be set or not
     */
    CompletableFuture<@Nullable Void> set();

    /**
     * Waits until there is a signal for this call, and consumes it.
     *
     * @return completed by the signal
     */
    CompletableFuture<@Nullable Void> await();

    /**
     * {@link #await()} for at most {@code timeout}.
     *
     * @param timeout zero takes a kept signal or fails; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return completed by the signal; exceptionally with {@code EventTimeoutException} if there was none in time
     */
    CompletableFuture<@Nullable Void> await(Duration timeout);

    /**
     * Takes a kept signal, in one round trip.
     *
     * @return whether there was one
     */
    default CompletableFuture<Boolean> tryAwait() {
        return tryAwait(Duration.ZERO);
    }

    /**
     * {@link #await(Duration)} that tells whether there was a signal in time.
     *
     * @param timeout zero takes a kept signal or ends; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return whether there was one
     */
    CompletableFuture<Boolean> tryAwait(Duration timeout);

    /**
     * Takes back the kept signals. Those already on their way to somebody stay on their way.
     *
     * @return how many were taken back; after a cancellation it may be done or not
     */
    CompletableFuture<Integer> clear();

    /**
     * Ends the event for everybody now: what is stored is forgotten but for its last fencing token, kept signals too, and who awaits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     */
    CompletableFuture<Boolean> delete();

    /**
     * Whether a signal is kept, which the next {@link #await()} would take. A look: it may be gone at once.
     *
     * @return whether one is kept
     */
    CompletableFuture<Boolean> isSet();

    /**
     * The same event for blocking use.
     *
     * @return the other view
     */
    Event blocking();
}
