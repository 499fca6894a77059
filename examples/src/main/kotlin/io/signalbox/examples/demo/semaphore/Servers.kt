package io.signalbox.examples.demo.semaphore

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisException
import io.lettuce.core.cluster.ClusterClientOptions
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.RedisClusterURIUtil
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import java.net.URI
import java.time.Duration
import kotlinx.coroutines.future.await

/** What the servers of a run are to each other. */
internal enum class Topology { SINGLE, SENTINEL, CLUSTER }

/** The servers that a run has started for itself. */
internal class Servers private constructor(
    val uri: String,
    /** Its processes, to be ended by a worker if the demo cannot. */
    val pids: List<Long>,
    private val primaryOf: (key: String) -> RedisProcess,
    /** Kills who has a key, waits for its heir, and returns that; null where there is none. */
    val killPrimary: ((key: String) -> RedisProcess)?,
    private val servers: AutoCloseable,
) : AutoCloseable by servers {
    fun portOf(key: String): Int = primaryOf(key).port

    companion object {
        fun start(topology: Topology): Servers = try {
            when (topology) {
                Topology.SINGLE -> RedisServer.start {}.let { Servers(it.uri, listOf(it.pid), { _ -> it }, null, it) }

                Topology.SENTINEL -> RedisTopology.sentinel().let { them ->
                    val pids = (them.servers + them.sentinels).map { it.pid }
                    Servers(them.uri, pids, { them.primary }, { them.killPrimary() }, them)
                }

                Topology.CLUSTER -> RedisTopology.cluster().let { them ->
                    Servers(them.uri, them.nodes.map { it.pid }, them::ownerOf, { key -> them.kill(them.ownerOf(key)) }, them)
                }
            }
        } catch (e: IllegalStateException) {
            throw DemoFailure("no Redis could be started; name one with --redis URI. ${e.message}", e)
        }
    }
}

/** One process's way to the servers: the driver's client, and a client of the library on it. */
internal class Access private constructor(
    val commands: RedisClusterAsyncCommands<String, String>,
    private val made: (SignalboxSettings.() -> Unit) -> Signalbox,
    private val end: suspend () -> Unit,
) {
    fun signalbox(configure: SignalboxSettings.() -> Unit): Signalbox = made(configure)

    suspend fun close() = end()

    companion object {
        fun to(uri: String, isCluster: Boolean): Access = if (isCluster) toCluster(uri) else toServer(uri)

        private fun toServer(uri: String): Access {
            val client = RedisClient.create(uri)
            val end: suspend () -> Unit = { client.shutdownAsync().await() }
            return Access(connected(uri) { client.connect() }.async(), { Signalbox(client, it) }, end)
        }

        private fun toCluster(uri: String): Access {
            val client = RedisClusterClient.create(RedisClusterURIUtil.toRedisURIs(URI(uri)))
            // For the register's commands, which are the driver's business; the library looks for itself.
            val refresh = ClusterTopologyRefreshOptions.builder().enablePeriodicRefresh(REFRESH).build()
            client.setOptions(ClusterClientOptions.builder().topologyRefreshOptions(refresh).build())
            val end: suspend () -> Unit = { client.shutdownAsync().await() }
            return Access(connected(uri) { client.connect() }.async(), { Signalbox(client, it) }, end)
        }

        private fun <T> connected(uri: String, connect: () -> T): T = try {
            connect()
        } catch (e: RedisException) {
            val reason = generateSequence<Throwable>(e) { it.cause }.last().message
            throw DemoFailure("Redis at ${addressOf(uri)} cannot be reached: $reason", e)
        }

        private val REFRESH = Duration.ofMillis(500)
    }
}
