package io.signalbox

import kotlin.time.Duration

/**
 * Signals between processes, one to one: each [set] ends exactly one [await], now or later. Made by [Signalbox.event].
 *
 * A signal that nobody awaits is kept, however long no client exists, unless [EventSettings.signalTtl] limits that; several signals
 * are kept as so many. Those who await are served in the order in which they came, over all processes.
 *
 * *Delivery*: exactly once as long as the awaiting process lives and reaches the server. A signal on its way to a coroutine that is
 * cancelled goes to the next one. If the awaiting process dies, or is cut off for longer than its lease, just when it gets a signal,
 * the signal is delivered again, even if it had reached the caller by less than one round trip: at least once, then. If the server
 * loses its data, it loses kept signals; who awaits goes on awaiting.
 *
 * Any number of coroutines can await on the client's one blocking connection. Safe to use from any thread and coroutine.
 */
public interface Event {
    public val name: String

    /**
     * Sets the event once: whoever waits longest gets the signal, else it is kept. Suspends for one round trip.
     *
     * Cancelling the caller ends the wait for the confirmation, not necessarily the signal.
     *
     * @throws EventFullException if [EventSettings.maxSignals] are kept already; nothing was set.
     * @throws StoreUnavailableException if the store did not confirm it in time; the text says what is known.
     */
    public suspend fun set()

    /**
     * Suspends until there is a signal for the caller, and consumes it. Cancelling the caller leaves the queue, and loses no signal.
     */
    public suspend fun await()

    /**
     * As [await], for at most [timeout].
     *
     * @param timeout zero takes a kept signal or fails; infinite waits for ever.
     * @throws EventTimeoutException if there was no signal in time.
     */
    public suspend fun await(timeout: Duration)

    /** As the other [await], but tells whether there was a signal in time. By default takes a kept signal or returns at once. */
    public suspend fun tryAwait(timeout: Duration = Duration.ZERO): Boolean

    /**
     * Takes back the kept signals. Those already on their way to somebody stay on their way.
     *
     * @return how many were taken back.
     */
    public suspend fun clear(): Int

    /**
     * Ends the event for everybody now: kept signals are forgotten, and who awaits fails with [DeletedException]; see [Semaphore.delete].
     *
     * @return whether there was one.
     */
    public suspend fun delete(): Boolean

    /** Whether a signal is kept, which the next [await] would take. A look: it may be gone at once. */
    public suspend fun isSet(): Boolean
}
