package io.signalbox.internal.redis

import io.lettuce.core.api.StatefulRedisConnection
import java.util.concurrent.CompletableFuture

/** Which server has which key: one that has all of them, or those of a cluster. Answers at once, from what is known. */
internal interface Nodes {
    /** Whether keys are spread, so that scripts may use those of one hash tag only, and none that they do not declare. */
    val isCluster: Boolean

    /** Called when what a server has may be older than what another one had, or somebody's addresses have changed: everybody has to speak. */
    var onMoved: () -> Unit

    /** Called when a command connection is there again after a loss. */
    var onReconnected: () -> Unit

    /** Called when there is a command connection, and when there is none any more; for whoever only looks. */
    var onChange: (isThere: Boolean) -> Unit

    /** Who has [key], or anybody if it is `null`; `null` if that is not known at the moment. */
    fun owner(key: ByteArray?): Node?

    /** As [owner], and asks the cluster if need be. */
    suspend fun find(key: ByteArray?): Node

    /** Where [error], which [from] has answered with, sends the request; `null` if it sends it nowhere. */
    fun redirected(
        error: Throwable,
        from: Node,
    ): Redirection?

    /** Something is not as expected: who has what is looked up again. */
    fun doubt()

    /** Why nobody is known to have a key. */
    val problem: Throwable?

    /** Whether whoever lent the driver has shut it down: there will be no connection any more. */
    val isShutDown: Boolean

    suspend fun close()
}

/** @property isAsking whether it is to be told before that it is asked as an exception. */
internal class Redirection(
    val node: Node,
    val isAsking: Boolean,
)

/** A connection of its user's own. */
internal class OwnConnection(
    val connection: StatefulRedisConnection<ByteArray, ByteArray>,
    /** How long a command on it may block. */
    val blockSeconds: Double,
    /** Closes it at the first call; the end of the client waits for that. */
    val end: Once<CompletableFuture<Void>>,
    val node: Node,
)

/** Another connection to who has [key]. */
internal suspend fun Nodes.connect(key: ByteArray): OwnConnection = find(key).connect()

/** The one server, or the primary that Sentinels name. */
internal class SingleNode(
    private val node: Node,
) : Nodes {
    override val isCluster: Boolean get() = false

    override var onMoved: () -> Unit = {}

    override var onReconnected: () -> Unit
        get() = node.connections.onReconnected
        set(value) {
            node.connections.onReconnected = value
        }

    override var onChange: (isThere: Boolean) -> Unit
        get() = node.connections.onChange
        set(value) {
            node.connections.onChange = value
        }

    override fun owner(key: ByteArray?): Node = node

    override suspend fun find(key: ByteArray?): Node = node

    override fun redirected(
        error: Throwable,
        from: Node,
    ): Redirection? = null

    override fun doubt() = Unit

    override val problem: Throwable? get() = node.connections.problem

    override val isShutDown: Boolean get() = node.connections.isShutDown

    override suspend fun close() {
        node.endTelling()
        node.connections.close()
    }
}
