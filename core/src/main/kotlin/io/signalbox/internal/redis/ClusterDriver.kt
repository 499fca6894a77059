package io.signalbox.internal.redis

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.cluster.RedisClusterClient
import io.signalbox.ConnectionSettings
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/**
 * The driver for all nodes of a cluster, and where to find one at first. A client for single servers, whichever client was given: a cluster
 * connection of the driver's decides by itself when and where something is sent, and again.
 */
internal class ClusterDriver private constructor(
    val client: RedisClient,
    private val owned: Boolean,
    private val initial: suspend () -> List<RedisURI>,
) {
    @Volatile
    private var pattern: RedisURI? = null

    /** Nodes to ask when no other one can be asked. */
    suspend fun seeds(): List<RedisURI> = initial().also { seeds -> pattern = pattern ?: seeds.firstOrNull() }

    /** As the first that was given, of which it takes credentials, encryption and the rest. */
    fun uriOf(address: NodeAddress): RedisURI =
        RedisURI.builder(checkNotNull(pattern)).withHost(address.host).withPort(address.port).build().apply { database = 0 }

    val isShutDown: Boolean get() = client.resources.eventExecutorGroup().isShuttingDown

    suspend fun close() = if (owned) RedisConnections.end(client) else RedisConnections.shutDown(client)

    companion object {
        fun own(
            uris: List<RedisURI>,
            settings: ConnectionSettings = ConnectionSettings(),
        ): ClusterDriver = ClusterDriver(RedisConnections.driver(uris.first(), settings), owned = true) { uris }

        /** With the threads, options and topology of [cluster]. */
        fun borrowed(cluster: RedisClusterClient): ClusterDriver {
            val client = RedisClient.create(cluster.resources)
            // A connection that broke is replaced, as everywhere.
            client.options = cluster.options.mutate().autoReconnect(false).build()
            return ClusterDriver(client, owned = false) {
                // Asked for the first time it looks for itself, blocking.
                withContext(Dispatchers.IO) { cluster.partitions.map { it.uri } }
            }
        }
    }
}
