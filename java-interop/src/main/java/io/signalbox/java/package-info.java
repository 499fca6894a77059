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
 * Futures are completed, listeners and actions are called, on the {@linkplain
 * io.signalbox.java.SignalboxOptions.Builder#callbackExecutor(java.util.concurrent.Executor) callback executor}: by default
 * {@link java.util.concurrent.CompletableFuture#defaultExecutor()}, which is the common pool, or a thread for each call where that pool has one
 * thread or none. A stage that was added to a future without an executor
 * runs there, or on the thread that adds it if the future is done already. What runs there may block; it delays other callbacks, never a
 * heartbeat. The blocking view does not need that executor: it works even if all of its threads are taken.
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
 * java.util.Optional}, everything else a {@code io.signalbox.SignalboxException}. Futures complete exceptionally with them; no method that
 * returns a future throws, except for {@code null} arguments.
 *
 * <p>Nothing in this package is {@code null} or takes {@code null} unless it says so.
 */
@NullMarked
package io.signalbox.java;

import org.jspecify.annotations.NullMarked;
