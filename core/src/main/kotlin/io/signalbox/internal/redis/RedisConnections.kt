package io.signalbox.internal.redis

import io.lettuce.core.ClientOptions
import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisClient
import io.lettuce.core.RedisConnectionStateListener
import io.lettuce.core.RedisURI
import io.lettuce.core.SocketOptions
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import java.net.SocketAddress
import java.time.Duration
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.future.await
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** Where connections come from, and the one that carries commands. */
internal class RedisConnections private constructor(
    private val client: RedisClient,
    private val uri: RedisURI?,
    private val owned: Boolean,
) {
    private val connecting = Mutex()

    @Volatile
    private var commands: StatefulRedisConnection<ByteArray, ByteArray>? = null

    /** The open command connection, if there is one. */
    fun current(): StatefulRedisConnection<ByteArray, ByteArray>? = commands

    /** Called when the command connection is there again after a loss, on the driver's thread. */
    @Volatile
    var onReconnected: () -> Unit = {}
    private var opened = false

    suspend fun command(): StatefulRedisConnection<ByteArray, ByteArray> =
        commands ?: connecting.withLock { commands ?: openCommands() }

    private suspend fun openCommands(): StatefulRedisConnection<ByteArray, ByteArray> {
        val connection = connect()
        connection.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisConnected(
                    connection: RedisChannelHandler<*, *>,
                    socketAddress: SocketAddress,
                ) = onReconnected()
            },
        )
        commands = connection
        if (opened) onReconnected()
        opened = true
        return connection
    }

    /** Another connection, which is the caller's to close. */
    suspend fun connect(): StatefulRedisConnection<ByteArray, ByteArray> {
        if (uri != null) return client.connectAsync(ByteArrayCodec.INSTANCE, uri).await()
        // A borrowed client keeps its URI to itself, and connects to it in the blocking way only.
        return withContext(Dispatchers.IO) { client.connect(ByteArrayCodec.INSTANCE) }
    }

    /** Gives up on [suspect]: the next command opens a new connection. */
    fun replace(suspect: StatefulRedisConnection<ByteArray, ByteArray>) {
        if (commands === suspect) commands = null
        suspect.closeAsync()
    }

    suspend fun close() {
        commands?.closeAsync()?.await()
        if (owned) client.shutdownAsync(0, 2, TimeUnit.SECONDS).await()
    }

    companion object {
        fun own(uri: RedisURI): RedisConnections {
            val client = RedisClient.create(uri)
            client.options =
                ClientOptions
                    .builder()
                    .autoReconnect(true)
                    .requestQueueSize(REQUEST_QUEUE)
                    .socketOptions(
                        SocketOptions
                            .builder()
                            .connectTimeout(Duration.ofSeconds(5))
                            .keepAlive()
                            .build(),
                    ).build()
            return RedisConnections(client, uri, owned = true)
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

        fun borrowed(client: RedisClient): RedisConnections = RedisConnections(client, null, owned = false)

        /** Requests waiting for a connection to come back: one or two per semaphore, repeated some times. */
        private const val REQUEST_QUEUE = 100_000
    }
}
