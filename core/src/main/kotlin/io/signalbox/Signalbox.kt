package io.signalbox

import io.lettuce.core.RedisClient
import io.lettuce.core.cluster.RedisClusterClient
import io.signalbox.internal.Connecting
import io.signalbox.internal.redis.Addresses
import io.signalbox.internal.redis.ClusterDriver
import io.signalbox.internal.redis.RedisConnections
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow

/**
 * A client of one Redis or Valkey server (or of one [InMemoryStore]): the place where semaphores come from.
 *
 * A process normally has one. It owns one command connection and, from the first moment somebody has to wait, one
 * blocking connection, whatever the number of semaphores and waiting coroutines. All members are safe to use from any
 * thread and coroutine.
 *
 * ```
 * val signalbox = Signalbox.connect("redis://localhost")
 * val api = signalbox.semaphore("external-api", permits = 100)
 * api.withPermit { permit -> call(permit.fencingToken) }
 * ```
 */
public interface Signalbox : AutoCloseable {
    /**
     * Creates the semaphore [name] with [permits] permits, or joins it if it exists.
     *
     * Suspends for one round trip to the store. The same name within one client gives the same object; the same name and
     * namespace in another process is the same semaphore. [permits] is the *declared* count: joining with another one
     * fails, whatever [Semaphore.resize] has made of the current count since, so that a restart after an operational
     * resize does not fail.
     *
     * @param name not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates. Names that
     *   differ in case or Unicode normalisation are different semaphores.
     * @param permits 0 to [Semaphore.MAX_PERMITS]; 0 makes a closed gate, to be opened by [Semaphore.resize].
     * @throws IllegalArgumentException if an argument is out of range; nothing was written.
     * @throws PermitsMismatchException if the semaphore exists with another declared count or boundedness.
     * @throws StoreUnavailableException if the store gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit = {},
    ): Semaphore

    /**
     * Joins the semaphore [name] without knowing its count, waiting for its creator for at most [timeout].
     *
     * Never creates the semaphore and never sets its count. While it does not exist the store is asked again, at first
     * after some milliseconds, later once a second.
     *
     * @param timeout zero asks once; infinite waits for ever.
     * @throws SemaphoreNotFoundException if nobody created it in time.
     * @throws StoreUnavailableException if the store gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun attach(
        name: String,
        timeout: Duration = 60.seconds,
        configure: SemaphoreSettings.() -> Unit = {},
    ): Semaphore

    /**
     * Creates or joins the mutex [name]. Suspends for one round trip to the store. The same name within one client gives the same
     * object; a mutex and a semaphore of one name have nothing to do with each other.
     *
     * @param name see [semaphore].
     * @throws IllegalArgumentException if an argument is out of range; nothing was written.
     * @throws StoreUnavailableException if the store gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun mutex(
        name: String,
        configure: MutexSettings.() -> Unit = {},
    ): Mutex

    /**
     * Creates or joins the event [name]. Suspends for one round trip to the store. The same name within one client gives the same
     * object.
     *
     * @param name see [semaphore].
     * @throws IllegalArgumentException if an argument is out of range; nothing was written.
     * @throws StoreUnavailableException if the store gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun event(
        name: String,
        configure: EventSettings.() -> Unit = {},
    ): Event

    /**
     * [semaphore] that does not suspend, and asks the store nothing: the handle joins, and creates the semaphore if need be, with its first use. So an application
     * can make its handles while the server is down.
     *
     * What joining can fail with comes from the first use, and from every later one until it succeeds: [PermitsMismatchException] if it exists with
     * another declaration, [StoreUnavailableException] if the store gives no answer within [SignalboxSettings.storeTimeout]. The first use also has the first
     * connection in it, which takes longer. The same name gives the same handle as by [semaphore], but for a [SemaphoreAlgorithm.Pool], whose lazy
     * handle is one of its own.
     *
     * @throws IllegalArgumentException if an argument is out of range.
     * @throws PermitsMismatchException if this client already has a handle of that name with another declaration.
     */
    public fun lazySemaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit = {},
    ): Semaphore

    /** [mutex] that does not suspend: the handle joins with its first use, see [lazySemaphore]. */
    public fun lazyMutex(
        name: String,
        configure: MutexSettings.() -> Unit = {},
    ): Mutex

    /** [event] that does not suspend: the handle joins with its first use, see [lazySemaphore]. */
    public fun lazyEvent(
        name: String,
        configure: EventSettings.() -> Unit = {},
    ): Event

    /** Whether the client has a connection, from moment to moment. Ends with [ConnectionState.CLOSED]; collecting it never ends by itself. */
    public val state: StateFlow<ConnectionState>

    /**
     * Asks the store whether it is there, over the connection that everything else uses; opens that if there is none. For health checks. A server that is
     * loading its data, or cannot reach its primary, does not count as there. Needs no rights but those of any user.
     *
     * @param timeout how long to try, of the client's time; `null` for [SignalboxSettings.storeTimeout].
     * @return how long the round trip took that was answered.
     * @throws StoreUnavailableException if there was no answer in time; the text names the last problem.
     */
    public suspend fun ping(timeout: Duration? = null): Duration

    /** What this client holds and waits for, by handle, as far as it knows; those without either are listed too. Asks nobody, and costs no round trip. */
    public fun usage(): List<HandleUsage>

    /**
     * What the semaphores of this namespace are used for, whichever client they belong to; the most used first: by the part of their
     * permits that is held, then by how many wait, then by grants so far.
     *
     * Suspends for two round trips and one more per 64 semaphores. Each is read at a moment of its own; mutexes and events are not
     * listed. A semaphore is listed from a moment after its creation on, and as long as some client uses it.
     *
     * @param names only these (of a queue and a pool of one name the queue); those that do not exist are left out. `null` for all of the namespace.
     * @param limit how many to return at most; 1 to 10 000.
     * @throws IllegalArgumentException if an argument is out of range.
     * @throws StoreUnavailableException if the store gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun statistics(
        names: Collection<String>? = null,
        limit: Int = 100,
    ): List<SemaphoreStatistics>

    /**
     * Has [listener] hear what happens to this client from now on, until the returned handle is disposed of. While there is no
     * listener, observation costs nothing.
     */
    public fun addListener(listener: SignalboxListener): DisposableHandle

    /**
     * What happens to this client from the moment of collection on. Never ends by itself. A collector that is more than 4096 behind
     * misses the oldest.
     */
    public fun observations(): Flow<Observation>

    /**
     * Starts the goodbye and returns at once: waiting acquires fail with [SignalboxClosedException], held permits are given
     * back, connections are closed. Idempotent. Does not block and does not suspend; [closeAndJoin] waits for the end.
     */
    override fun close()

    /**
     * [close], then suspends until held permits have been given back and the connections are closed, or until
     * [SignalboxSettings.storeTimeout] has passed. What could not be given back in time is free one lease later.
     */
    public suspend fun closeAndJoin()

    public companion object {
        /**
         * Makes a client for the server at [uri]; the connection is opened by the first call that needs it.
         *
         * @param uri `redis://[[user:]password@]host[:port][/db]`, `rediss://` for TLS (the host name is verified), or any other form that
         *   Lettuce's `RedisURI` reads: `redis-sentinel://[[user:]password@]host[:port][,host[:port]]#name` for the primary that Sentinels know
         *   by that name, asked again whenever a connection is made; Unix sockets (these need Netty's native transport). What is special in a URI is
         *   percent-encoded in a password; host names may have underscores.
         * @param configure settings, among them [how the server is reached][SignalboxSettings.connection]: certificates, credentials, options.
         * @throws IllegalArgumentException if [uri] or a setting cannot be used; the text never contains the password.
         * @throws IllegalStateException if a dependency on the class path is older than what is supported; the text names it.
         */
        public fun connect(
            uri: String,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox {
            val settings = SignalboxSettings().apply(configure)
            return Connecting.redis(settings) { RedisConnections.own(Addresses.parse(uri), settings.connection) }
        }

        /**
         * Makes a client on an existing Lettuce [client], which stays the caller's: [close] closes the two connections opened
         * here and never the client.
         */
        public operator fun invoke(
            client: RedisClient,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox = Connecting.redis(borrowing(configure)) { RedisConnections.borrowed(client) }

        /**
         * Makes a client of a Redis or Valkey Cluster; connections are opened by the first calls that need them: one for commands to each
         * master that has something of interest, and one that blocks.
         *
         * Everything keeps its promises for one primary per name: each name lives on one master, and what is said there of a primary that
         * loses acknowledged writes holds for that one.
         *
         * @param uri `redis://[[user:]password@]host[:port][,host[:port]]`, or `rediss://` for TLS: one node at least, better several, in case
         *   that one is away. The others are found by them, under the names that the cluster gives them.
         * @throws IllegalArgumentException if [uri] or a setting cannot be used; the text never contains the password.
         * @throws IllegalStateException if a dependency on the class path is older than what is supported; the text names it.
         */
        public fun connectCluster(
            uri: String,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox = connectCluster(listOf(uri), configure)

        /** As the other, with the nodes in several [uris]. User, password and the rest are taken from the first. */
        public fun connectCluster(
            uris: Collection<String>,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox {
            val settings = SignalboxSettings().apply(configure)
            val nodes = Addresses.parseCluster(uris)
            return Connecting.cluster(settings) { ClusterDriver.own(nodes, settings.connection) }
        }

        /**
         * Makes a client of the cluster of an existing Lettuce [client], which stays the caller's. Of that it takes the nodes, credentials,
         * options and threads, and opens connections of its own, which [close] closes: none of the [client]'s is used.
         */
        public operator fun invoke(
            client: RedisClusterClient,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox = Connecting.cluster(borrowing(configure)) { ClusterDriver.borrowed(client) }

        private fun borrowing(configure: SignalboxSettings.() -> Unit) =
            SignalboxSettings().apply(configure).also {
                require(!it.connection.isUsed) {
                    "connection { } is for clients that are made by a URI. A driver's client brings its own options: configure that one."
                }
            }

        /**
         * Makes a client of an [InMemoryStore]: the same behaviour without a server, for tests and single-process use.
         *
         * Under `runTest` pass the test's scope and time, and every lease, timeout and expiry follows virtual time:
         * `Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope)`. Several clients of one store behave like
         * several processes on one server.
         *
         * Time limits of the library's calls follow the client's time, whoever calls. Those of the caller's own, `withTimeout` for instance, follow
         * the caller's: under `runTest` one of them around a call to a client in real time passes at once.
         *
         * @param scope where heartbeats and exchanges run; by default a scope of the client's own. Cancelling it is a crash: nothing is given
         *   back or said any more, and every call ends with [SignalboxClosedException].
         */
        public fun inMemory(
            store: InMemoryStore = InMemoryStore(),
            scope: CoroutineScope? = null,
            configure: SignalboxSettings.() -> Unit = {},
        ): Signalbox = Connecting.inMemory(store, scope, SignalboxSettings().apply(configure))
    }
}
