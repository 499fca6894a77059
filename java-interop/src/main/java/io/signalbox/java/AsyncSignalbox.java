package io.signalbox.java;

import io.signalbox.ConnectionState;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * A client of one Redis or Valkey server (or of one {@link InMemoryStore}): the place where semaphores come from; asynchronous view.
 *
 * <p>{@link Signalbox} makes clients, and says what each method does; this is what {@link Signalbox#async()} gives. What is thrown there, the future
 * completes exceptionally with here. No method blocks. Futures are completed on the callback executor, and cancelling one withdraws the call: see
 * the {@linkplain io.signalbox.java package description}.
 *
 * <pre>{@code
 * var signalbox = Signalbox.connect("redis://localhost").async();
 * signalbox.semaphore("external-api", 100)
 *         .thenCompose(api -> api.withPermit(() -> http.sendAsync(request, ofString())))
 *         .thenAccept(response -> show(response));
 * }</pre>
 */
public interface AsyncSignalbox extends AutoCloseable {
    /**
     * {@link #semaphore(String, int, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param permits the declared count
     * @return the semaphore
     */
    default CompletableFuture<AsyncSemaphore> semaphore(String name, int permits) {
        return semaphore(name, permits, SemaphoreOptions.defaults());
    }

    /**
     * Creates the semaphore {@code name}, or joins it if it exists; see {@link Signalbox#semaphore(String, int, SemaphoreOptions)}.
     *
     * @param name its name
     * @param permits the declared count, 0 to {@link Semaphore#MAX_PERMITS}
     * @param options what to do differently
     * @return the semaphore; exceptionally with {@code PermitsMismatchException} if it exists with another declared count or boundedness
     */
    CompletableFuture<AsyncSemaphore> semaphore(String name, int permits, SemaphoreOptions options);

    /**
     * {@link #attach(String, Duration)} that waits for a minute.
     *
     * @param name its name
     * @return the semaphore
     */
    default CompletableFuture<AsyncSemaphore> attach(String name) {
        return attach(name, Duration.ofSeconds(60));
    }

    /**
     * {@link #attach(String, Duration, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param timeout how long to wait for its creator
     * @return the semaphore
     */
    default CompletableFuture<AsyncSemaphore> attach(String name, Duration timeout) {
        return attach(name, timeout, SemaphoreOptions.defaults());
    }

    /**
     * Joins the semaphore {@code name} without knowing its count, waiting for its creator. Never creates the semaphore and never sets its count.
     *
     * @param name its name
     * @param timeout zero asks once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param options what to do differently
     * @return the semaphore; exceptionally with {@code SemaphoreNotFoundException} if nobody created it in time
     */
    CompletableFuture<AsyncSemaphore> attach(String name, Duration timeout, SemaphoreOptions options);

    /**
     * {@link #mutex(String, MutexOptions)} with all defaults.
     *
     * @param name its name
     * @return the mutex
     */
    default CompletableFuture<AsyncMutex> mutex(String name) {
        return mutex(name, MutexOptions.defaults());
    }

    /**
     * Creates or joins the mutex {@code name}.
     *
     * @param name its name
     * @param options what to do differently
     * @return the mutex
     */
    CompletableFuture<AsyncMutex> mutex(String name, MutexOptions options);

    /**
     * {@link #event(String, EventOptions)} with all defaults.
     *
     * @param name its name
     * @return the event
     */
    default CompletableFuture<AsyncEvent> event(String name) {
        return event(name, EventOptions.defaults());
    }

    /**
     * Creates or joins the event {@code name}.
     *
     * @param name its name
     * @param options what to do differently
     * @return the event
     */
    CompletableFuture<AsyncEvent> event(String name, EventOptions options);

    /**
     * {@link #lazySemaphore(String, int, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param permits the declared count
     * @return the semaphore
     */
    default AsyncSemaphore lazySemaphore(String name, int permits) {
        return lazySemaphore(name, permits, SemaphoreOptions.defaults());
    }

    /**
     * {@code semaphore} that asks the store nothing: the handle joins, and creates the semaphore if need be, with its first use. So an application
     * can make its handles while the server is down. What joining can fail with comes from the first use, and from every later one until it
     * succeeds; the first use has the first connection in it, too. The same name gives the same handle, but for a pool, whose lazy handle is one of
     * its own.
     *
     * @param name see {@code semaphore}
     * @param permits the declared count
     * @param options what to do differently
     * @return the semaphore
     * @throws IllegalArgumentException if an argument is out of range
     * @throws io.signalbox.PermitsMismatchException if this client already has a handle of that name with another declaration
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     */
    AsyncSemaphore lazySemaphore(String name, int permits, SemaphoreOptions options);

    /**
     * {@link #lazyMutex(String, MutexOptions)} with all defaults.
     *
     * @param name its name
     * @return the mutex
     */
    default AsyncMutex lazyMutex(String name) {
        return lazyMutex(name, MutexOptions.defaults());
    }

    /**
     * {@code mutex} that asks the store nothing: the handle joins with its first use, see {@link #lazySemaphore(String, int, SemaphoreOptions)}.
     *
     * @param name see {@code semaphore}
     * @param options what to do differently
     * @return the mutex
     * @throws IllegalArgumentException if an argument is out of range
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     */
    AsyncMutex lazyMutex(String name, MutexOptions options);

    /**
     * {@link #lazyEvent(String, EventOptions)} with all defaults.
     *
     * @param name its name
     * @return the event
     */
    default AsyncEvent lazyEvent(String name) {
        return lazyEvent(name, EventOptions.defaults());
    }

    /**
     * {@code event} that asks the store nothing: the handle joins with its first use, see {@link #lazySemaphore(String, int, SemaphoreOptions)}.
     *
     * @param name see {@code semaphore}
     * @param options what to do differently
     * @return the event
     * @throws IllegalArgumentException if an argument is out of range
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     */
    AsyncEvent lazyEvent(String name, EventOptions options);

    /**
     * Whether the client has a connection at the moment.
     *
     * @return what is known without asking anybody
     */
    ConnectionState state();

    /**
     * {@link #state()} from moment to moment, beginning with the present one; never ends by itself. Subscribers are called on the callback
     * executor, one signal at a time; who is slow misses what was between.
     *
     * @return a publisher for any number of subscribers
     */
    Flow.Publisher<ConnectionState> states();

    /**
     * {@link #ping(Duration)} within the store timeout.
     *
     * @return how long the round trip took that was answered; exceptionally with {@code StoreUnavailableException} if there was no answer in time
     */
    CompletableFuture<Duration> ping();

    /**
     * Asks the store whether it is there, over the connection that everything else uses; opens that if there is none. For health checks. A server
     * that is loading its data, or cannot reach its primary, does not count as there. Needs no rights but those of any user.
     *
     * @param timeout how long to try, 1 ms or more
     * @return how long the round trip took that was answered; exceptionally with {@code StoreUnavailableException} if there was no answer in time
     */
    CompletableFuture<Duration> ping(Duration timeout);

    /**
     * What this client holds and waits for, by handle, as far as it knows. Asks nobody, and costs no round trip.
     *
     * @return all handles, those with nothing held and nobody waiting too
     */
    List<HandleUsage> usage();

    /**
     * {@link #statistics(int)} of at most 100 semaphores.
     *
     * @return the most used first
     */
    default CompletableFuture<List<SemaphoreStatistics>> statistics() {
        return statistics(100);
    }

    /**
     * What the semaphores of this namespace are used for; see {@link Signalbox#statistics(int)}.
     *
     * @param limit how many to return at most; 1 to 10 000
     * @return the most used first
     */
    CompletableFuture<List<SemaphoreStatistics>> statistics(int limit);

    /**
     * {@link #statistics(int)} of some semaphores.
     *
     * @param names only these; those that do not exist are left out
     * @param limit how many to return at most; 1 to 10 000
     * @return the most used first
     */
    CompletableFuture<List<SemaphoreStatistics>> statistics(Collection<String> names, int limit);

    /**
     * Has {@code listener} hear what happens to this client from now on. While there is no listener, observation costs nothing.
     *
     * @param listener called on the library's threads
     * @return a handle that takes the registration back
     */
    Registration addListener(SignalboxListener listener);

    /**
     * What happens to this client, for each subscriber from its subscription on. Never ends by itself. A subscriber that is more than 4096
     * behind misses the oldest. Subscribers are called on the callback executor, one signal at a time.
     *
     * @return a publisher for any number of subscribers
     */
    Flow.Publisher<Observation> observations();

    /**
     * The same client for blocking use.
     *
     * @return the other view
     */
    Signalbox blocking();

    /**
     * Starts the goodbye and returns at once: waiting acquires fail with {@code SignalboxClosedException}, held permits are given back,
     * connections are closed. Idempotent.
     */
    @Override
    void close();

    /**
     * {@link #close()} with an end to wait for.
     *
     * @return completed when held permits have been given back and the connections are closed, or the store timeout has passed; cancelling it
     *     does not stop the goodbye
     */
    CompletableFuture<@Nullable Void> closeAsync();
}
