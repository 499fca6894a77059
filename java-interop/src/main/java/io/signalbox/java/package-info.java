/**
 * Semaphores, mutexes and events that processes share through a Redis or Valkey server.
 *
 * <pre>{@code
 * try (var signalbox = Signalbox.connect("redis://localhost")) {
 *     var exports = signalbox.semaphore("exports", 4);
 *     try (var permit = exports.acquire()) {
 *         export(permit.fencingToken());
 *     }
 * }
 * }</pre>
 *
 * <h2>Two views of one client</h2>
 *
 * {@link io.signalbox.java.Signalbox} blocks the calling thread, {@link io.signalbox.java.AsyncSignalbox} returns futures. They are views of
 * the same client, its semaphores and permits: {@code async()} and {@code blocking()} lead from one to the other at no cost. Blocking parks the
 * thread and nothing else, so a virtual thread that waits occupies no carrier, and any number of waiting threads share one connection.
 *
 * <h2>Threads</h2>
 *
 * Futures are completed, actions and subscribers are called, on the {@linkplain
 * io.signalbox.java.SignalboxOptions.Builder#callbackExecutor(java.util.concurrent.Executor) callback executor}: by default
 * the common pool, or a few threads of the library, which end when they are idle, where that pool has one thread or none. A stage that was added to a future without an executor
 * runs there, or on the thread that adds it if the future is done already. What runs there may block; it delays other callbacks, never a
 * heartbeat. A {@link io.signalbox.java.SignalboxListener} alone is called on threads of the library, and must not block. The blocking view does not need that executor: it works even if all of its threads are taken.
 *
 * <h2>Cancellation</h2>
 *
 * Cancelling a future, or completing it in any other way (as {@code orTimeout} does), withdraws the call: an acquire leaves the queue, and a
 * permit that is granted at that very moment is given back. It takes the future that the method returned: {@code thenApply} and its like return
 * dependent stages, and Java does not propagate the cancellation of those to their source. Interrupting a thread that blocks does the same;
 * if what it waited for arrives at that very moment, the call returns it and leaves the interrupt status set, so that nothing is lost.
 *
 * <h2>Errors</h2>
 *
 * Misuse is an {@link java.lang.IllegalArgumentException} or {@link java.lang.IllegalStateException}, an expected "no" an empty {@link
 * java.util.Optional}, everything else a {@code SignalboxException}, which like its kinds is in the package {@code io.signalbox}:
 *
 * <ul>
 *   <li>{@code AcquireTimeoutException}: not granted in time; the place in the queue is given up
 *   <li>{@code DeletedException}: somebody has ended what this waited for
 *   <li>{@code EventFullException}: as many signals are kept as may be; nothing was set
 *   <li>{@code EventTimeoutException}: no signal came in time
 *   <li>{@code LeaseLostException}: a permit was lost before the work that ran under it had ended; it has the fencing token
 *   <li>{@code PermitsMismatchException}: the semaphore exists with another count or other settings than were given; it has both counts
 *   <li>{@code SemaphoreNotFoundException}: nobody created the semaphore in time
 *   <li>{@code StoreUnavailableException}: the server gave no answer within the store timeout, or refused; the text says whether something
 *       may have been changed
 *   <li>{@code ScriptNotPermittedException}: the server's user may not run what the library needs
 *   <li>{@code SignalboxClosedException}: the client is closed, or was while the call waited
 *   <li>{@code TooManyWaitersException}: as many wait as may; nothing was asked of the server
 *   <li>{@code UnknownFormatException}: a newer version wrote what is stored under the name; nothing was written
 * </ul>
 *
 * <p>All are unchecked. Futures complete exceptionally with them; no method that returns a future throws, except for {@code null} arguments.
 *
 * <p>Nothing in this package is {@code null} or takes {@code null} unless it says so.
 */
@NullMarked
package io.signalbox.java;

import org.jspecify.annotations.NullMarked;
