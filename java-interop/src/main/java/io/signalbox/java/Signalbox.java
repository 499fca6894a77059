package io.signalbox.java;

import io.lettuce.core.RedisClient;
import io.lettuce.core.cluster.RedisClusterClient;
import io.signalbox.ConnectionState;
import io.signalbox.java.internal.Clients;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.Flow;

/**
 * A client of one Redis or Valkey server (or of one {@link InMemoryStore}): the place where semaphores come from; blocking view.
 *
 * <p>A process normally has one. It owns one command connection and, from the first moment somebody has to wait, one blocking connection, whatever
 * the number of semaphores and waiting threads. All methods are safe to use from any thread.
 *
 * <pre>{@code
 * try (var signalbox = Signalbox.connect("redis://localhost")) {
 *     var api = signalbox.semaphore("external-api", 100);
 *     try (var permit = api.acquire()) {
 *         call(permit.fencingToken());
 *     }
 * }
 * }</pre>
 *
 * @see AsyncSignalbox
 */
public interface Signalbox extends AutoCloseable {
    /**
     * {@link #connect(String, SignalboxOptions)} with all defaults.
     *
     * @param uri where the server is
     * @return a new client
     * @throws IllegalArgumentException if the URI cannot be used; the text never contains the password
     */
    static Signalbox connect(String uri) {
        return connect(uri, SignalboxOptions.defaults());
    }

    /**
     * Makes a client for the server at {@code uri}; the connection is opened by the first call that needs it.
     *
     * @param uri {@code redis://[[user:]password@]host[:port][/db]}, {@code rediss://} for TLS (the host name is verified), or any other form
     *     that Lettuce's {@code RedisURI} reads, {@code redis-sentinel://host[:port][,host[:port]]#name} included, with the name under which
     *     the Sentinels know the primary
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if the URI or an option cannot be used; the text never contains the password
     */
    static Signalbox connect(String uri, SignalboxOptions options) {
        return Clients.connect(Nulls.given(uri, "uri"), Nulls.given(options, "options"));
    }

    /**
     * {@link #connect(RedisClient, SignalboxOptions)} with all defaults.
     *
     * @param client stays the caller's
     * @return a new client
     */
    static Signalbox connect(RedisClient client) {
        return connect(client, SignalboxOptions.defaults());
    }

    /**
     * Makes a client on an existing Lettuce client, which stays the caller's: closing this one closes the two connections opened here and
     * never the Lettuce client.
     *
     * @param client stays the caller's
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if an option cannot be used
     */
    static Signalbox connect(RedisClient client, SignalboxOptions options) {
        return Clients.connect(Nulls.given(client, "client"), Nulls.given(options, "options"));
    }

    /**
     * {@link #connectCluster(String, SignalboxOptions)} with all defaults.
     *
     * @param uri where some of the nodes are
     * @return a new client
     * @throws IllegalArgumentException if the URI cannot be used; the text never contains the password
     */
    static Signalbox connectCluster(String uri) {
        return connectCluster(uri, SignalboxOptions.defaults());
    }

    /**
     * Makes a client of a Redis or Valkey Cluster; connections are opened by the first calls that need them: one for commands to each master
     * that has something of interest, and one that blocks.
     *
     * @param uri {@code redis://[[user:]password@]host[:port][,host[:port]]}, or {@code rediss://} for TLS: one node at least, better several,
     *     in case that one is away. The others are found by them, under the names that the cluster gives them
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if the URI or an option cannot be used; the text never contains the password
     */
    static Signalbox connectCluster(String uri, SignalboxOptions options) {
        return connectCluster(List.of(Nulls.given(uri, "uri")), options);
    }

    /**
     * {@link #connectCluster(String, SignalboxOptions)} with the nodes in several URIs.
     *
     * @param uris where some of the nodes are; user, password and the rest are taken from the first
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if a URI or an option cannot be used; the text never contains the password
     */
    static Signalbox connectCluster(Collection<String> uris, SignalboxOptions options) {
        return Clients.connectCluster(List.copyOf(Nulls.given(uris, "uris")), Nulls.given(options, "options"));
    }

    /**
     * {@link #connect(RedisClusterClient, SignalboxOptions)} with all defaults.
     *
     * @param client stays the caller's
     * @return a new client
     */
    static Signalbox connect(RedisClusterClient client) {
        return connect(client, SignalboxOptions.defaults());
    }

    /**
     * Makes a client of the cluster of an existing Lettuce client, which stays the caller's. Of that it takes the nodes, credentials, options and
     * threads, and opens connections of its own, which closing it closes: none of the Lettuce client's is used.
     *
     * @param client stays the caller's
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if an option cannot be used
     */
    static Signalbox connect(RedisClusterClient client, SignalboxOptions options) {
        return Clients.connect(Nulls.given(client, "client"), Nulls.given(options, "options"));
    }

    /**
     * Makes a client of an in-memory store of its own: the same behaviour without a server.
     *
     * @return a new client
     */
    static Signalbox inMemory() {
        return inMemory(InMemoryStore.create());
    }

    /**
     * {@link #inMemory(InMemoryStore, SignalboxOptions)} with all defaults.
     *
     * @param store what it shares with others
     * @return a new client
     */
    static Signalbox inMemory(InMemoryStore store) {
        return inMemory(store, SignalboxOptions.defaults());
    }

    /**
     * Makes a client of an in-memory store: the same behaviour without a server, for tests and single-process use.
     *
     * @param store what it shares with others
     * @param options what to do differently
     * @return a new client
     * @throws IllegalArgumentException if an option cannot be used
     */
    static Signalbox inMemory(InMemoryStore store, SignalboxOptions options) {
        return Clients.inMemory(Nulls.given(store, "store").memory(), Nulls.given(options, "options"));
    }

    /**
     * {@link #semaphore(String, int, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param permits the declared count
     * @return the semaphore
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Semaphore semaphore(String name, int permits) throws InterruptedException {
        return semaphore(name, permits, SemaphoreOptions.defaults());
    }

    /**
     * Creates the semaphore {@code name}, or joins it if it exists. The same name within one client gives the same object; the same name and
     * namespace in another process is the same semaphore.
     *
     * @param name not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates; names that differ in case or
     *     Unicode normalisation are different semaphores
     * @param permits the declared count, 0 to {@link Semaphore#MAX_PERMITS}; joining with another one fails, whatever a resize has made of the
     *     current count since. 0 makes a closed gate, to be opened by a resize
     * @param options what to do differently
     * @return the semaphore
     * @throws IllegalArgumentException if an argument is out of range; nothing was written
     * @throws io.signalbox.PermitsMismatchException if it exists with another declared count or boundedness
     * @throws io.signalbox.StoreUnavailableException if the store gives no answer in time
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first; whether it was created is then unknown
     */
    Semaphore semaphore(String name, int permits, SemaphoreOptions options) throws InterruptedException;

    /**
     * {@link #attach(String, Duration)} that waits for a minute.
     *
     * @param name its name
     * @return the semaphore
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Semaphore attach(String name) throws InterruptedException {
        return attach(name, Duration.ofSeconds(60));
    }

    /**
     * {@link #attach(String, Duration, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param timeout how long to wait for its creator
     * @return the semaphore
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Semaphore attach(String name, Duration timeout) throws InterruptedException {
        return attach(name, timeout, SemaphoreOptions.defaults());
    }

    /**
     * Joins the semaphore {@code name} without knowing its count, waiting for its creator. Never creates the semaphore and never sets its count.
     *
     * @param name see {@link #semaphore(String, int, SemaphoreOptions)}
     * @param timeout zero asks once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @param options what to do differently
     * @return the semaphore
     * @throws io.signalbox.SemaphoreNotFoundException if nobody created it in time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Semaphore attach(String name, Duration timeout, SemaphoreOptions options) throws InterruptedException;

    /**
     * {@link #mutex(String, MutexOptions)} with all defaults.
     *
     * @param name its name
     * @return the mutex
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Mutex mutex(String name) throws InterruptedException {
        return mutex(name, MutexOptions.defaults());
    }

    /**
     * Creates or joins the mutex {@code name}. The same name within one client gives the same object.
     *
     * @param name see {@link #semaphore(String, int, SemaphoreOptions)}
     * @param options what to do differently
     * @return the mutex
     * @throws IllegalArgumentException if an argument is out of range; nothing was written
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Mutex mutex(String name, MutexOptions options) throws InterruptedException;

    /**
     * {@link #event(String, EventOptions)} with all defaults.
     *
     * @param name its name
     * @return the event
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default Event event(String name) throws InterruptedException {
        return event(name, EventOptions.defaults());
    }

    /**
     * Creates or joins the event {@code name}. The same name within one client gives the same object.
     *
     * @param name see {@link #semaphore(String, int, SemaphoreOptions)}
     * @param options what to do differently
     * @return the event
     * @throws IllegalArgumentException if an argument is out of range; nothing was written
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Event event(String name, EventOptions options) throws InterruptedException;

    /**
     * {@link #lazySemaphore(String, int, SemaphoreOptions)} with all defaults.
     *
     * @param name its name
     * @param permits the declared count
     * @return the semaphore
     */
    default Semaphore lazySemaphore(String name, int permits) {
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
    Semaphore lazySemaphore(String name, int permits, SemaphoreOptions options);

    /**
     * {@link #lazyMutex(String, MutexOptions)} with all defaults.
     *
     * @param name its name
     * @return the mutex
     */
    default Mutex lazyMutex(String name) {
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
    Mutex lazyMutex(String name, MutexOptions options);

    /**
     * {@link #lazyEvent(String, EventOptions)} with all defaults.
     *
     * @param name its name
     * @return the event
     */
    default Event lazyEvent(String name) {
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
    Event lazyEvent(String name, EventOptions options);

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
     * @return how long the round trip took that was answered
     * @throws io.signalbox.StoreUnavailableException if there was no answer in time
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Duration ping() throws InterruptedException;

    /**
     * Asks the store whether it is there, over the connection that everything else uses; opens that if there is none. For health checks. A server
     * that is loading its data, or cannot reach its primary, does not count as there. Needs no rights but those of any user.
     *
     * @param timeout how long to try, 1 ms or more
     * @return how long the round trip took that was answered
     * @throws io.signalbox.StoreUnavailableException if there was no answer in time
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Duration ping(Duration timeout) throws InterruptedException;

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
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    default List<SemaphoreStatistics> statistics() throws InterruptedException {
        return statistics(100);
    }

    /**
     * What the semaphores of this namespace are used for, whichever client they belong to; the most used first: by the part of their permits
     * that is held, then by how many wait, then by grants so far.
     *
     * <p>Takes two round trips and one more per 64 semaphores. Each is read at a moment of its own; mutexes and events are not listed. A
     * semaphore is listed from a moment after its creation on, and as long as some client uses it.
     *
     * @param limit how many to return at most; 1 to 10 000
     * @return the most used first
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    List<SemaphoreStatistics> statistics(int limit) throws InterruptedException;

    /**
     * {@link #statistics(int)} of some semaphores.
     *
     * @param names only these; those that do not exist are left out
     * @param limit how many to return at most; 1 to 10 000
     * @return the most used first
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    List<SemaphoreStatistics> statistics(Collection<String> names, int limit) throws InterruptedException;

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
     * The same client for asynchronous use.
     *
     * @return the other view
     */
    AsyncSignalbox async();

    /**
     * Closes the client and waits until held permits have been given back and the connections are closed, or until the store timeout has
     * passed: what could not be given back in time is free one lease later. Waiting acquires fail with {@code SignalboxClosedException}.
     * Idempotent. If the thread is interrupted this returns at once with the interrupt status set; the goodbye goes on.
     */
    @Override
    void close();
}
