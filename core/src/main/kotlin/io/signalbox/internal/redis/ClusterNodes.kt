package io.signalbox.internal.redis

import io.lettuce.core.cluster.SlotHash
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.Signalbox
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicReferenceArray
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.cancelChildren
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.isActive
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * The masters of a cluster, and which slots each of them has.
 *
 * What is known of that is corrected by what servers say: MOVED changes one slot at once. The whole is looked up (CLUSTER SLOTS, by whoever
 * answers first) before the first request, whenever something is not as expected, and once a minute. One look at a time.
 */
internal class ClusterNodes(
    private val driver: ClusterDriver,
    private val patience: Duration,
    private val patienceNanos: Long,
    private val scope: CoroutineScope,
) : Nodes {
    override val isCluster: Boolean get() = true

    override var onMoved: () -> Unit = {}

    override var onReconnected: () -> Unit = {}

    override var onChange: (isThere: Boolean) -> Unit = {}

    private val owners = AtomicReferenceArray<Node>(SlotHash.SLOT_COUNT)
    private val known = ConcurrentHashMap<NodeAddress, Node>()
    private val retiring: MutableSet<Node> = ConcurrentHashMap.newKeySet()

    private val bell = Channel<Unit>(Channel.CONFLATED)
    private val isLooking = AtomicBoolean()
    private val curious = ConcurrentLinkedQueue<CompletableDeferred<Throwable?>>()

    /** Whether single slots have moved since the last look. */
    @Volatile
    private var hasMoved = false

    @Volatile
    override var problem: Throwable? = null
        private set

    override fun owner(key: ByteArray?): Node? = if (key == null) anybody() else owners.get(SlotHash.getSlot(key))

    private fun anybody(): Node? = known.values.firstOrNull { it.current() != null } ?: owners.get(0)

    override suspend fun find(key: ByteArray?): Node {
        owner(key)?.let { return it }
        val outcome = CompletableDeferred<Throwable?>()
        curious.add(outcome)
        doubt()
        if (!scope.isActive) throw RedisErrors.classify(NoSuchNode("This client was closed."))
        outcome.await()?.let { throw RedisErrors.classify(it, inCluster = true) }
        return owner(key) ?: throw RedisErrors.classify(NoSuchNode("No node of the cluster has that slot at the moment."))
    }

    private class NoSuchNode(
        message: String,
    ) : IllegalStateException(message)

    override fun redirected(
        error: Throwable,
        from: Node,
    ): Redirection? {
        if (!RedisErrors.isRedirection(error)) return null
        // `MOVED 3999 127.0.0.1:6381`, `ASK ...`; without a host it is the one that was asked.
        val words = error.message.orEmpty().split(' ')
        val slot = words.getOrNull(1)?.toIntOrNull() ?: return null
        val address = words.getOrNull(2)?.let { NodeAddress.parse(it, addressOf(from)) } ?: return null
        val isAsking = words[0] == "ASK"
        val node = node(address)
        if (!isAsking && slot in 0 until SlotHash.SLOT_COUNT) {
            owners.set(slot, node)
            hasMoved = true
            doubt()
        }
        return Redirection(node, isAsking)
    }

    private fun addressOf(node: Node): NodeAddress? = known.entries.firstOrNull { it.value === node }?.key

    private fun node(address: NodeAddress): Node =
        known.computeIfAbsent(address) {
            val connections = RedisConnections.toNode(driver.client, driver.uriOf(address))
            connections.patienceNanos = patienceNanos
            connections.onReconnected = { onReconnected() }
            // As long as there is any, the cluster is there.
            connections.onChange = { isThere -> onChange(isThere || known.values.any { it.connections.current() != null }) }
            Node(connections, patience, scope, Reachability("Node $address of the cluster"), ::doubt)
        }

    override fun doubt() {
        if (isLooking.compareAndSet(false, true)) scope.launch { lookForEver() }
        bell.trySend(Unit)
    }

    private suspend fun lookForEver() {
        var failures = 0
        try {
            while (true) {
                withTimeoutOrNull(PERIOD * Random.nextDouble(0.8, 1.0)) { bell.receive() }
                val asking = generateSequence { curious.poll() }.toList()
                try {
                    look()
                    problem = null
                    failures = 0
                } catch (failure: Exception) {
                    currentCoroutineContext().ensureActive()
                    log.debug("Could not look up which node has which slots", failure)
                    problem = failure
                    bell.trySend(Unit)
                    failures++
                }
                asking.forEach { it.complete(problem) }
                delay((LEAST_PAUSE shl minOf(failures, MOST_DOUBLINGS)).milliseconds * Random.nextDouble(0.5, 1.0))
            }
        } finally {
            generateSequence { curious.poll() }.forEach { it.complete(CancellationException("This client was closed.")) }
        }
    }

    private suspend fun look() {
        val (node, slots) = firstAnswer(candidates())
        take(RedisLine.understood(null) { SlotShare.parse(slots, addressOf(node)) })
    }

    /** Who is connected first; the others in case that they know nothing, or do not answer. */
    private suspend fun candidates(): List<Node> {
        val (connected, others) = known.values.toList().shuffled().partition { it.current() != null }
        if (connected.isNotEmpty()) return connected + others
        return (others + driver.seeds().map { node(NodeAddress(it.host, it.port)) }).distinct()
    }

    /** Asks one after the other, but waits for none of them for long before it asks the next one too. */
    private suspend fun firstAnswer(candidates: List<Node>): Pair<Node, List<Any?>> =
        coroutineScope {
            val answers = Channel<Result<Pair<Node, List<Any?>>>>(Channel.UNLIMITED)
            val left = candidates.iterator()
            var pending = 0
            var last: Throwable = NoSuchNode("The cluster has no nodes.")
            while (left.hasNext() || pending > 0) {
                if (left.hasNext()) {
                    val next = left.next()
                    pending++
                    launch { answers.send(runCatching { Pair(next, slots(next)) }) }
                }
                val answer = (if (left.hasNext()) withTimeoutOrNull(HEAD_START) { answers.receive() } else answers.receive()) ?: continue
                pending--
                answer.onSuccess {
                    coroutineContext.job.cancelChildren()
                    return@coroutineScope it
                }
                answer.onFailure { last = it }
            }
            throw last
        }

    private suspend fun slots(node: Node): List<Any?> {
        val connection = node.command()
        val sentAt = System.nanoTime()
        val reply =
            withTimeoutOrNull(patience) {
                suspendCancellableCoroutine<List<Any?>> { continuation ->
                    val arguments = CommandArgs(ByteArrayCodec.INSTANCE).add("SLOTS")
                    val command = Command(CommandType.CLUSTER, ArrayOutput(ByteArrayCodec.INSTANCE), arguments)
                    node.dispatch(connection, command) { slots, error ->
                        if (error == null) continuation.resume(slots.orEmpty()) else continuation.resumeWithException(error)
                    }
                }
            }
        if (reply == null) {
            node.replaceIfSilent(connection, sentAt)
            throw NoSuchNode("A node did not answer within $patience.")
        }
        if (reply.isEmpty()) throw NoSuchNode("The cluster has no slots: it is not set up, or the node has been taken out of it.")
        return reply
    }

    private fun take(shares: List<SlotShare>) {
        val current = arrayOfNulls<Node>(SlotHash.SLOT_COUNT)
        for (share in shares) {
            val node = node(share.address)
            for (slot in share.slots) current[slot] = node
        }
        var moved = 0
        for (slot in current.indices) {
            val former = owners.getAndSet(slot, current[slot])
            if (former != null && former !== current[slot]) moved++
        }
        val present = current.toSet()
        for ((address, node) in known) if (node !in present) retire(address, node)
        if (moved > 0) log.info("The cluster has changed: {} of its slots have another master", moved)
        if (moved > 0 || hasMoved) onMoved()
        hasMoved = false
    }

    /** What was sent there is still to be answered. */
    private fun retire(
        address: NodeAddress,
        node: Node,
    ) {
        if (!known.remove(address, node)) return
        retiring.add(node)
        scope.launch {
            delay(patience)
            node.retire()
            retiring.remove(node)
        }
    }

    override val isShutDown: Boolean get() = driver.isShutDown

    override suspend fun close() {
        val all = known.values + retiring
        all.forEach { it.endTelling() }
        all.forEach { it.retire() }
        driver.close()
    }

    private companion object {
        /** What operators may have to know is told under the name of the API. */
        val log: Logger = LoggerFactory.getLogger(Signalbox::class.java)

        /** Finds what nobody was redirected for, such as a node that is there again. */
        val PERIOD = 1.minutes
        val HEAD_START = 200.milliseconds
        const val LEAST_PAUSE = 50
        const val MOST_DOUBLINGS = 4
    }
}

/** Where a node is, as the cluster says. */
internal data class NodeAddress(
    val host: String,
    val port: Int,
) {
    override fun toString(): String = if (':' in host) "[$host]:$port" else "$host:$port"

    companion object {
        /** `host:port`, where the host may be an address of IPv6, or missing: then it is that of [asked]. */
        fun parse(
            text: String,
            asked: NodeAddress?,
        ): NodeAddress? {
            val colon = text.lastIndexOf(':')
            if (colon < 0) return null
            val port = text.substring(colon + 1).toIntOrNull() ?: return null
            return of(text.substring(0, colon), port, asked)
        }

        fun of(
            host: String?,
            port: Int,
            asked: NodeAddress?,
        ): NodeAddress? {
            // A node that does not know its own address says so with nothing, or a question mark.
            val named = host?.removeSurrounding("[", "]")?.takeIf { it.isNotEmpty() && it != "?" } ?: asked?.host ?: return null
            return NodeAddress(named, port)
        }
    }
}

/** Slots that one master has. */
internal class SlotShare(
    val slots: IntRange,
    val address: NodeAddress,
) {
    companion object {
        /** What CLUSTER SLOTS says: for each share first slot, last slot, the master `host port ...`, its replicas. */
        fun parse(
            reply: List<Any?>,
            asked: NodeAddress?,
        ): List<SlotShare> =
            reply.mapNotNull { share ->
                val (first, last, master) = share as List<*>
                val (host, port) = master as List<*>
                val address =
                    NodeAddress.of((host as ByteArray?)?.let { String(it) }, (port as Long).toInt(), asked) ?: return@mapNotNull null
                SlotShare((first as Long).toInt()..(last as Long).toInt(), address)
            }
    }
}
