package io.signalbox.java;

import java.time.Duration;

/**
 * Signals between processes, one to one: each {@link #set()} ends exactly one {@link #await()}, now or later; blocking view.
 *
 * <p>A signal that nobody awaits is kept, however long no client exists, unless {@link EventOptions.Builder#signalTtl(Duration)} limits that;
 * several signals are kept as so many. Those who await are served in the order in which they came, over all processes.
 *
 * <p>Delivery is exactly once as long as the awaiting process lives and reaches the server. A signal on its way to a thread that is interrupted
 * goes to the next one. If the awaiting process dies, or is cut off for longer than its lease, just when it gets a signal, the signal is
 * delivered again: at least once, then. If the server loses its data, it loses kept signals; who awaits goes on awaiting.
 */
public interface Event {
    /**
     * The name given to {@link Signalbox#event(String)}.
     *
     * @return the name
     */
    String name();

    /**
     * Sets the event once: whoever waits longest gets the signal, else it is kept. Waits for one round trip.
     *
     * @throws io.signalbox.EventFullException if {@link EventOptions.Builder#maxSignals(int)} are kept already; nothing was set
     * @throws io.signalbox.StoreUnavailableException if the store did not confirm it in time; the text says what is known
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether the event was set is then unknown
     */
    void set() throws InterruptedException;

    /**
     * Waits until there is a signal for this call, and consumes it.
     *
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; no signal is lost
     */
    void await() throws InterruptedException;

    /**
     * {@link #await()} for at most {@code timeout}.
     *
     * @param timeout zero takes a kept signal or fails; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @throws io.signalbox.EventTimeoutException if there was no signal in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; no signal is lost
     */
    void await(Duration timeout) throws InterruptedException;

    /**
     * Takes a kept signal, in one round trip.
     *
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; no signal is lost
     */
    default boolean tryAwait() throws InterruptedException {
        return tryAwait(Duration.ZERO);
    }

    /**
     * {@link #await(Duration)} that tells whether there was a signal in time.
     *
     * @param timeout zero takes a kept signal or returns; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; no signal is lost
     */
    boolean tryAwait(Duration timeout) throws InterruptedException;

    /**
     * Takes back the kept signals. Those already on their way to somebody stay on their way.
     *
     * @return how many were taken back
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    int clear() throws InterruptedException;

    /**
     * Ends the event for everybody now: what is stored is forgotten but for its last fencing token, kept signals too, and who awaits fails with {@code
     * DeletedException}. Other clients hear of it at once if they wait, else with their next heartbeat. Handles stay usable: the next use creates it anew.
     *
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was done is then unknown
     */
    boolean delete() throws InterruptedException;

    /**
     * Whether a signal is kept, which the next {@link #await()} would take. A look: it may be gone at once.
     *
     * @return whether one is kept
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean isSet() throws InterruptedException;

    /**
     * The same event for asynchronous use.
     *
     * @return the other view
     */
    AsyncEvent async();
}
