package io.signalbox.internal.redis

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisConnectionStateListener
import io.lettuce.core.RedisURI
import io.lettuce.core.SocketOptions
import io.lettuce.core.TimeoutOptions
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandType
import io.signalbox.ConnectionSettings
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.RejectedExecutionException
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asExecutor
import kotlinx.coroutines.future.await
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

internal typealias Connection = StatefulRedisConnection<ByteArray, ByteArray>

/**
 * Where connections come from, and the one that carries commands.
 *
 * Each has one owner at any time: this while it comes about, and for good if it carries the commands; else whoever has asked for it. Who has
 * given up leaves none behind. A connection that broke is not used again, and not left to the driver to be repaired, which may be told not
 * to, and does not say why it cannot.
 */
internal class RedisConnections private constructor(
    private val client: RedisClient,
    private val uri: RedisURI?,
    private val owned: Boolean,
) {
    /** How long the network may take for something; a connection may take longer the first time, when nothing of the driver is warm. */
    var patienceNanos: Long = 0

    /** Connections that are asked for, and what becomes of them. */
    private val arriving: MutableSet<CompletableFuture<*>> = ConcurrentHashMap.newKeySet()
    private val ending: MutableSet<CompletableFuture<Void>> = ConcurrentHashMap.newKeySet()

    /** Called when the command connection is there again after a loss, and when it is lost; on the driver's thread. */
    @Volatile
    var onReconnected: () -> Unit = {}

    @Volatile
    var onLost: () -> Unit = {}

    /** Called when the command connection is there, and when it is not any more; for whoever only looks. */
    @Volatile
    var onChange: (isThere: Boolean) -> Unit = {}

    @Volatile
    private var commands: Connection? = null
    private var opening: CompletableFuture<Connection>? = null

    /** Whether there ever was a command connection. */
    @Volatile
    var wasOpen = false
        private set
    private var isClosed = false

    /** Why the last attempt to open the command connection has failed, if it has. */
    @Volatile
    var problem: Throwable? = null
        private set

    /** The open command connection, if there is one. */
    fun current(): Connection? = commands

    /** Opened once, whoever asks, and kept even if nobody waits for it any more. */
    suspend fun command(): Connection = commands ?: opened()

    private suspend fun opened(): Connection {
        val coming = opening()
        return suspendCancellableCoroutine { continuation ->
            coming.whenComplete { connection, problem ->
                if (connection != null) {
                    continuation.resume(connection) { _, _, _ -> }
                } else {
                    continuation.resumeWithException(told(problem))
                }
            }
        }
    }

    /** The command connection to come, the same for whoever asks. */
    fun opening(): CompletableFuture<Connection> =
        synchronized(this) {
            commands?.let { return CompletableFuture.completedFuture(it) }
            opening?.let { return it }
            val coming = open()
            // Whoever waits does so for what comes after this.
            coming.whenComplete { connection, problem -> take(connection, problem) }.also { if (!it.isDone) opening = it }
        }

    private fun take(
        connection: Connection?,
        problem: Throwable?,
    ) {
        val isUsed =
            synchronized(this) {
                opening = null
                this.problem = problem?.let(::told)
                (connection != null && !isClosed).also { if (it) commands = connection }
            }
        if (connection == null) return
        if (!isUsed) {
            endOnce(connection)
            return
        }
        connection.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(lost: RedisChannelHandler<*, *>) = replace(connection)
            },
        )
        if (!connection.isOpen) return replace(connection)
        onChange(true)
        if (wasOpen) onReconnected()
        wasOpen = true
    }

    /** Another connection, which is the caller's to close. */
    suspend fun connect(): Connection =
        suspendCancellableCoroutine { continuation ->
            val coming = open()
            continuation.invokeOnCancellation { coming.cancel(false) }
            coming.whenComplete { connection, problem ->
                if (connection == null) {
                    continuation.resumeWithException(told(problem))
                } else {
                    continuation.resume(connection) { _, unwanted, _ -> endOnce(unwanted) }
                }
            }
        }

    private fun told(problem: Throwable): Throwable {
        val cause = (problem as? CompletionException)?.cause ?: problem
        return if (cause is TimeoutException) IllegalStateException("No connection came about in time.", cause) else cause
    }

    /** Closes [connection] when it is called; [close] waits for that. */
    fun endOf(connection: Connection): Once<CompletableFuture<Void>> = Once { endOnce(connection) }

    private fun endOnce(connection: Connection): CompletableFuture<Void> {
        // By the driver, which was shut down while this connection came about. It would warn of a second time.
        if ((connection as? RedisChannelHandler<*, *>)?.isClosed == true) return CompletableFuture.completedFuture(null)
        return connection.closeAsync().also { end -> if (ending.add(end)) end.whenComplete { _, _ -> ending.remove(end) } }
    }

    /** A connection to come, within the time that it may take; if it comes later, or nobody wants it, it is closed. */
    private fun open(): CompletableFuture<Connection> {
        val result = CompletableFuture<Connection>()
        val coming =
            try {
                if (uri != null) {
                    client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture()
                } else {
                    // A borrowed client keeps its URI to itself, and connects to it in the blocking way only.
                    CompletableFuture.supplyAsync({ client.connect(ByteArrayCodec.INSTANCE) }, blocking)
                }
            } catch (problem: Exception) {
                CompletableFuture.failedFuture(problem)
            }
        val settled =
            coming.whenComplete { connection, problem ->
                if (connection == null) {
                    result.completeExceptionally(problem)
                } else {
                    // Patience is ours: a driver that gives up on a command tells nothing of the connection.
                    connection.timeout = Duration.ZERO
                    if (!result.complete(connection)) endOnce(connection)
                }
            }
        if (arriving.add(settled)) settled.whenComplete { _, _ -> arriving.remove(settled) }
        val least = if (wasOpen) LEAST else LEAST_AT_FIRST
        return result.within(maxOf(patienceNanos, least.toNanos()))
    }

    /** By the driver's threads, which end with it: the JDK's own for this keeps the class loader of whoever needs it first, for ever. */
    private fun CompletableFuture<Connection>.within(nanos: Long): CompletableFuture<Connection> {
        if (isDone) return this
        try {
            val end = client.resources.eventExecutorGroup().schedule({
                completeExceptionally(TimeoutException())
            }, nanos, TimeUnit.NANOSECONDS)
            whenComplete { _, _ -> end.cancel(false) }
        } catch (ended: RejectedExecutionException) {
            completeExceptionally(ended)
        }
        return this
    }

    /** How long a command may block: longer is cut off by a driver with time limits of its user's. */
    fun blockSeconds(): Double {
        val limits = client.options.timeoutOptions
        if (!limits.isTimeoutCommands || limits.isApplyConnectionTimeout) return BLOCK_SECONDS
        val source = limits.source ?: return BLOCK_SECONDS
        val limit = source.getTimeout(Command<ByteArray, ByteArray, Any>(CommandType.BLPOP, null))
        if (limit <= 0) return BLOCK_SECONDS
        val seconds = source.timeUnit.toMillis(limit) / MILLIS
        return minOf(BLOCK_SECONDS, seconds / 2)
    }

    /** Gives up on [suspect]: the next command goes over a new connection. */
    fun replace(suspect: Connection) {
        val isOurs =
            synchronized(this) {
                (commands === suspect).also { if (it) commands = null }
            }
        // Whoever finds out after that finds it closed.
        if (!isOurs) return
        endOnce(suspect)
        onChange(false)
        onLost()
    }

    /** Whether whoever lent the driver has shut it down: there will be no connection any more. */
    val isShutDown: Boolean get() = client.resources.eventExecutorGroup().isShuttingDown

    suspend fun close() {
        val last =
            synchronized(this) {
                isClosed = true
                commands.also { commands = null }
            }
        last?.let(::endOnce)
        // What comes about while the driver is shut down would be closed by both, and the driver warns of that.
        withTimeoutOrNull(ARRIVAL) { CompletableFuture.allOf(*arriving.toTypedArray()).handle { _, _ -> }.await() }
        ArrayList(ending).forEach { it.await() }
        if (owned) end(client)
    }

    companion object {
        fun own(
            uri: RedisURI,
            settings: ConnectionSettings = ConnectionSettings(),
        ): RedisConnections = RedisConnections(driver(uri, settings), uri, owned = true)

        /** To one node of a cluster, by [client], which is somebody else's to shut down. */
        fun toNode(
            client: RedisClient,
            uri: RedisURI,
        ): RedisConnections = RedisConnections(client, uri, owned = false)

        /** A driver of our own, to be shut down before [SharedDriver.end]. */
        fun driver(
            uri: RedisURI,
            settings: ConnectionSettings = ConnectionSettings(),
        ): RedisClient {
            uri.timeout = minOf(uri.timeout, MOST)
            Encryption.apply(settings, uri)
            val encryption = Encryption.options(settings)
            val options =
                ClientOptions
                    .builder()
                    .timeoutOptions(TimeoutOptions.builder().timeoutCommands(false).build())
                    .requestQueueSize(REQUEST_QUEUE)
                    .socketOptions(
                        SocketOptions
                            .builder()
                            .connectTimeout(Duration.ofSeconds(5))
                            .keepAlive()
                            .build(),
                    ).apply { if (encryption != null) sslOptions(encryption) }
                    .apply(settings.configureOptions)
                    .autoReconnect(false)
                    .build()
            return RedisClient.create(SharedDriver.begin(), uri).also { it.options = options }
        }

        /** How soon a dead peer is noticed can be set only where the JDK has its module for it: a small runtime image need not. */
        private fun SocketOptions.Builder.keepAlive(): SocketOptions.Builder =
            if (ModuleLayer.boot().findModule("jdk.net").isEmpty) {
                keepAlive(true)
            } else {
                keepAlive(
                    SocketOptions.KeepAliveOptions
                        .builder()
                        .enable()
                        .idle(Duration.ofSeconds(10))
                        .interval(Duration.ofSeconds(5))
                        .count(3)
                        .build(),
                )
            }

        /** Shuts down what [driver] has made. */
        suspend fun end(client: RedisClient) {
            try {
                shutDown(client)
            } finally {
                SharedDriver.end()
            }
        }

        suspend fun shutDown(client: RedisClient) {
            client.shutdownAsync(QUIET_MILLIS, LATEST_MILLIS, TimeUnit.MILLISECONDS).await()
        }

        fun borrowed(client: RedisClient): RedisConnections = RedisConnections(client, null, owned = false)

        /** How long a connection that is about to come keeps a client from being closed. */
        private val ARRIVAL = 250.milliseconds

        private val LEAST_AT_FIRST = Duration.ofSeconds(5)
        private val LEAST = Duration.ofSeconds(3)
        private val MOST = Duration.ofSeconds(10)

        /** Finite, so that a half-open connection is noticed. */
        private const val BLOCK_SECONDS = 5.0
        private const val MILLIS = 1000.0

        /** Requests that wait to be written. */
        private const val REQUEST_QUEUE = 100_000

        private const val QUIET_MILLIS = 0L
        private const val LATEST_MILLIS = 2000L

        /** For handshakes that block; a few that nobody waits for any more hold up nothing of the application's. */
        private val blocking = Dispatchers.IO.limitedParallelism(16).asExecutor()
    }
}
