package io.signalbox.cluster

import io.lettuce.core.RedisURI
import io.lettuce.core.cluster.RedisClusterClient
import io.lettuce.core.cluster.RedisClusterURIUtil
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.behaviour.Redis
import io.signalbox.testkit.ClusterTopology
import io.signalbox.testkit.RedisServer
import io.signalbox.testkit.RedisTopology
import io.signalbox.testkit.SentinelTopology
import java.net.URI

/** Servers that the suites of this JVM share; nobody breaks them. */
object Shared {
    val cluster: ClusterTopology by lazy { RedisTopology.cluster() }
    val sentinel: SentinelTopology by lazy { RedisTopology.sentinel() }
}

/** A cluster of three masters. */
open class Cluster(
    override val isEveryday: Boolean = true,
) : Redis() {
    override val servers: List<RedisServer> get() = Shared.cluster.masters

    override fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox.connectCluster(Shared.cluster.uri, configure)
}

/** The same by a Lettuce client of the user's. */
object BorrowedCluster : Cluster() {
    private val lettuce: RedisClusterClient by lazy {
        val nodes: List<RedisURI> = RedisClusterURIUtil.toRedisURIs(URI(Shared.cluster.uri))
        // Of the user's, who never shuts it down: its threads are the JVM's last.
        RedisClusterClient.create(nodes)
    }

    override fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox(lettuce, configure)
}

/** The primary that Sentinels name. */
open class Sentinel : Redis() {
    override val isEveryday: Boolean get() = false

    override val servers: List<RedisServer> get() = listOf(Shared.sentinel.primary)

    override fun open(configure: SignalboxSettings.() -> Unit): Signalbox = Signalbox.connect(Shared.sentinel.uri, configure)
}
