package io.signalbox.internal.pool

import io.signalbox.InitStrategy
import io.signalbox.SemaphoreSnapshot
import io.signalbox.SignalboxClosedException
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.Engaged
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.internal.redis.Node
import io.signalbox.internal.redis.Nodes
import io.signalbox.internal.redis.RedisLine
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.isActive

/** The pools of one client, and the connection they share. */
internal class Pools(
    private val nodes: Nodes,
    private val namespace: String,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val observers: Observers,
) {
    /** Those that have something to look after: kept by this, whoever else has them. */
    private val engaged = Engaged()

    /** Those that somebody has a handle of. */
    var handled: () -> List<PoolCoordinator> = { emptyList() }

    /** What has to be closed with the client. */
    val all: List<Coordinator> get() = engaged.all + handled()
    private val pace = PoolPace(settings, clock)

    // A transaction for a moment, on a loaded machine, may well take longer than a short lease allows a round.
    private val patience = maxOf(settings.patienceNanos.nanoseconds, MIN_PATIENCE)
    private val single = PoolLine(scope, patience, nodes::isShutDown) { connect(nodes.find(null)) }

    /** In a cluster: where the pools of one server have their connection for transactions. */
    private val shared = ConcurrentHashMap<Node, PoolLine>()

    private fun lineOf(key: ByteArray): PoolLine = if (nodes.isCluster) lineTo(key) else single

    private fun lineTo(key: ByteArray): PoolLine {
        var last: Node? = null

        suspend fun find(): Node = nodes.find(key).also { last = it }
        return PoolLine(
            scope,
            patience,
            nodes::isShutDown,
            shared = { sharedLine(find()).connect() },
            onElsewhere = { error -> if (last?.let { nodes.redirected(error, it) } == null) nodes.doubt() },
            reach = { connect(find()) },
        )
    }

    private fun sharedLine(node: Node): PoolLine {
        // Those to nodes that are none any more.
        for ((other, line) in shared) if (other.isRetired && shared.remove(other, line)) line.close()
        return shared.computeIfAbsent(node) { PoolLine(scope, patience) { connect(node) } }
    }

    private suspend fun connect(node: Node): PoolConnection =
        node.connect().let { LettuceConnection(it.connection, it.blockSeconds, it.end, nodes.isCluster) }

    private val lineOfEach: ((PoolCoordinator) -> PoolLine)? =
        if (nodes.isCluster) ({ pool -> lineOf(PoolKeys(namespace, pool.subject.name).state) }) else null
    private val keeper =
        PoolKeeper(lineOf(Keys(namespace).index.toByteArray()), namespace, settings, scope, lineOf = lineOfEach) { handled() }

    /** Creates or joins the pool [name]; `null` if there is nothing to join. */
    suspend fun join(
        name: String,
        wanted: HandleSettings,
        strategy: InitStrategy,
    ): PoolCoordinator? {
        if (!scope.isActive) throw SignalboxClosedException("This client was closed. Make a new one with Signalbox.connect().")
        val keys = PoolKeys(namespace, name)
        val line = lineOf(keys.state)
        val creation = PoolCreation(keys, line, pace, strategy)
        val subject = LedgerName(Kind.POOL, name)
        val coordinator = PoolCoordinator(subject, keys, line, client, pace, clock, scope, creation, observers, engaged = engaged)
        if (!coordinator.join(wanted)) return null
        keeper.enlist(subject)
        keeper.start()
        return coordinator
    }

    /** What the server knows of the pool [name], whoever uses it: its waiters are not among that. */
    suspend fun snapshot(name: String): SemaphoreSnapshot? =
        RedisLine.understood(null) {
            PoolKeys(namespace, name).let { keys ->
                PoolViews(name, keys, lineOf(keys.state))
            }.look()?.snapshot(limit = 1, client, settings, emptyList())
        }

    fun close() = (shared.values + single).forEach { it.close() }

    private companion object {
        val MIN_PATIENCE = 500.milliseconds
    }
}
