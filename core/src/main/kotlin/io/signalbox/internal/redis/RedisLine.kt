package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.CommandOutput
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.lettuce.core.protocol.ProtocolKeyword
import io.signalbox.InternalSignalboxApi
import io.signalbox.SignalboxException
import io.signalbox.internal.ClientTime
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/** What goes over the line: bytes in, bytes out. */
internal typealias Arguments = CommandArgs<ByteArray, ByteArray>

internal typealias Output<T> = CommandOutput<ByteArray, ByteArray, T>

/**
 * One client's line to its store: commands and scripts to whichever server has their key, over the one connection to it that all of them
 * share; announcements through [announcements].
 *
 * Delivers each request once and says what became of it; patience is the caller's. A cluster may redirect a request, which was not executed
 * then: it goes on as it was, byte by byte.
 */
@InternalSignalboxApi
public class RedisLine internal constructor(
    private val nodes: Nodes,
    private val patience: Duration,
    public val announcements: Announcements,
) {
    /** Whether keys are spread over several servers. */
    public val isCluster: Boolean get() = nodes.isCluster

    /** Whether there is a connection at the moment to who has [key]. */
    internal fun isConnected(key: ByteArray?): Boolean = nodes.owner(key)?.current() != null

    /**
     * Runs [script] and suspends until it is answered.
     *
     * @throws LedgerFailure if there is no connection, no answer in time, or an error.
     */
    public suspend fun <T> ask(
        script: Script,
        keys: List<ByteArray>,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): T =
        ClientTime.REAL.run {
            answered(keys.firstOrNull()) { node, connection, done ->
                val delivery = Delivery(script, keys, output, done)
                delivery.arguments = arguments
                deliver(delivery, node, connection, Command(CommandType.EVALSHA, output(), script.call(script.sha, keys).apply(arguments)))
            }
        }

    /** As the other, for a plain command, asked of who has [at], or the first key among its arguments, or anybody if it has none. */
    public suspend fun <T> ask(
        command: ProtocolKeyword,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        at: ByteArray? = null,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): T =
        ClientTime.REAL.run {
            val args = CommandArgs(ByteArrayCodec.INSTANCE).apply(arguments)
            answered(at ?: firstKey(args)) { node, connection, done ->
                deliver(Delivery(null, emptyList(), output, done), node, connection, Command(command, output(), args))
            }
        }

    private fun firstKey(args: Arguments): ByteArray? =
        if (!nodes.isCluster) null else args.firstEncodedKey?.let { encoded -> ByteArray(encoded.remaining()).also(encoded::get) }

    private suspend fun <T> answered(
        key: ByteArray?,
        request: (Node, Connection, (T?, LedgerFailure?) -> Unit) -> Unit,
    ): T {
        val node = nodes.find(key)
        val connection = node.command()
        val sentAt = System.nanoTime()
        // Kept aside: an answer that comes at the very moment of the timeout is one, though withTimeoutOrNull says null.
        var answer: Result<T?>? = null
        withTimeoutOrNull(patience) {
            answer =
                Result.success(
                    suspendCancellableCoroutine { continuation ->
                        request(node, connection) { result, failure ->
                            if (failure == null) continuation.resume(result) else continuation.resumeWithException(failure)
                        }
                    },
                )
        }
        val result =
            answer ?: run {
                node.replaceIfSilent(connection, sentAt)
                throw LedgerFailure(IllegalStateException("The server did not answer within $patience."), executed = true, final = false)
            }
        @Suppress("UNCHECKED_CAST")
        return result.getOrThrow() as T
    }

    /**
     * Runs [script] without waiting; [done] is called once, from here or later on the driver's thread, or never if the connection
     * is lost without a trace.
     *
     * @param silentSince when an earlier delivery of the same request was sent that has had no reply, or [FIRST_DELIVERY]: a
     *   connection that has been silent since then is replaced first.
     */
    public fun <T> send(
        script: Script,
        keys: List<ByteArray>,
        silentSince: Long,
        output: () -> CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
        done: (T?, LedgerFailure?) -> Unit,
    ) {
        val delivery = Delivery(script, keys, output, done)
        delivery.arguments = arguments
        begin(delivery, silentSince) { Command(CommandType.EVALSHA, output(), script.call(script.sha, keys).apply(arguments)) }
    }

    /**
     * As [send], with arguments decided when the request is written: [compose] is called then, at most once, on the driver's thread;
     * `null` if there is nothing to send any more, which [done] is told with no result. It need not have been called when the
     * delivery fails.
     */
    internal fun <T> sendLate(
        script: Script,
        keys: List<ByteArray>,
        silentSince: Long,
        output: () -> Output<T>,
        compose: () -> (Arguments.() -> Unit)?,
        done: (T?, LedgerFailure?) -> Unit,
    ) {
        val delivery = Delivery(script, keys, output, done)
        begin(delivery, silentSince) {
            LateCommand(CommandType.EVALSHA, output()) {
                val arguments = compose()
                delivery.arguments = arguments
                arguments?.let { script.call(script.sha, keys).apply(it) }
            }
        }
    }

    private inline fun <T> begin(
        delivery: Delivery<T>,
        silentSince: Long,
        crossinline command: () -> Command<ByteArray, ByteArray, T>,
    ) {
        val node = nodes.owner(delivery.keys.firstOrNull())
        if (node == null) {
            nodes.doubt()
            return delivery.done(null, nobody())
        }
        if (silentSince != FIRST_DELIVERY) node.current()?.let { node.replaceIfSilent(it, silentSince) }
        val connection = node.current()
        when {
            connection != null -> {
                deliver(delivery, node, connection, command())
            }

            // Where nothing was ever sent the connection has only to come about.
            nodes.isCluster && !node.connections.wasOpen -> {
                node.withCommand { opened, problem ->
                    if (opened == null) failed(delivery, node, null, problem!!) else deliver(delivery, node, opened, command())
                }
            }

            else -> {
                node.reconnect()
                delivery.done(null, node.disconnected())
            }
        }
    }

    private fun nobody(): LedgerFailure {
        val problem = nodes.problem ?: IllegalStateException("No node of the cluster has that slot at the moment.")
        return RedisErrors.classify(problem).let { LedgerFailure(it.error, executed = false, it.final) }
    }

    /** A request on its way, and what it takes to send it again as it was. */
    private class Delivery<T>(
        val script: Script?,
        val keys: List<ByteArray>,
        val output: () -> Output<T>,
        val done: (T?, LedgerFailure?) -> Unit,
    ) {
        /** Of the script; `null` if there is nothing to say, or that is not decided yet. */
        var arguments: (Arguments.() -> Unit)? = null
        var hops = 0
    }

    private fun <T> deliver(
        delivery: Delivery<T>,
        node: Node,
        connection: Connection,
        command: Command<ByteArray, ByteArray, T>,
        isAsking: Boolean = false,
    ) {
        // If another request comes between the two this one is redirected once more.
        if (isAsking) node.dispatch(connection, Command(CommandType.ASKING, StatusOutput(ByteArrayCodec.INSTANCE))) { _, _ -> }
        node.dispatch(connection, command) { result, error ->
            when {
                error != null -> refused(delivery, node, connection, command, isAsking, error)
                delivery.script != null && delivery.arguments == null -> delivery.done(null, null)
                else -> delivery.done(result, null)
            }
        }
    }

    /** EVAL with the same arguments if the server does not know the script (any more); where a cluster says if it has moved. */
    private fun <T> refused(
        delivery: Delivery<T>,
        node: Node,
        connection: Connection,
        command: Command<ByteArray, ByteArray, T>,
        isAsking: Boolean,
        error: Throwable,
    ) {
        val script = delivery.script
        val arguments = delivery.arguments
        if (script != null && arguments != null && RedisErrors.isNoScript(error)) {
            val whole = script.firstCall(delivery.keys, arguments)
            return deliver(delivery, node, connection, Command(CommandType.EVAL, delivery.output(), whole), isAsking)
        }
        val next = if (delivery.hops++ < MOST_HOPS) nodes.redirected(error, node) else null
        if (next == null) return failed(delivery, node, connection, error)
        next.node.withCommand { opened, problem ->
            if (opened == null) {
                failed(delivery, next.node, null, problem!!)
            } else {
                deliver(delivery, next.node, opened, Command(command.type, delivery.output(), command.args), next.isAsking)
            }
        }
    }

    private fun <T> failed(
        delivery: Delivery<T>,
        node: Node,
        connection: Connection?,
        error: Throwable,
    ) {
        val failure = RedisErrors.classify(error, delivery.script, nodes.isCluster)
        // Nothing has left where there was no connection.
        if (connection == null) return delivery.done(null, LedgerFailure(failure.error, executed = false, failure.final))
        if (RedisErrors.isReadOnly(failure.error)) node.leaveReplica(connection)
        if (RedisErrors.isElsewhere(failure.error)) nodes.doubt()
        delivery.done(null, failure)
    }

    /**
     * The first connection of a process has most of the driver loaded and its threads started: that takes longer than all that comes after it,
     * seconds on a busy machine. Waits for it, whatever comes of it.
     */
    internal suspend fun prepare() {
        if (isPrepared) return
        try {
            withTimeoutOrNull(START) { nodes.find(null).command() }
        } catch (problem: Exception) {
            // The call that needs it finds out by itself.
            if (problem is CancellationException) throw problem
        }
        isPrepared = true
    }

    /** Whether whoever lent the driver has shut it down. */
    internal val isOver: Boolean get() = nodes.isShutDown

    internal suspend fun close() {
        announcements.close()
        nodes.close()
    }

    public companion object {
        public const val FIRST_DELIVERY: Long = Long.MIN_VALUE

        /** More than it takes while the cluster changes: then something is wrong with it, or with what we know of it. */
        private const val MOST_HOPS = 5

        /** As long as the driver tries to connect, at the most. */
        private val START = 5.seconds

        @Volatile
        private var isPrepared = false

        /**
         * What [read] makes of [reply].
         *
         * @throws LedgerFailure that says so if it cannot make anything of it: what answers is then no server like Redis.
         */
        public inline fun <T> understood(
            reply: Any?,
            read: () -> T,
        ): T =
            try {
                read()
            } catch (problem: RuntimeException) {
                throw unlike(reply, problem)
            }

        @PublishedApi
        internal fun unlike(
            reply: Any?,
            problem: RuntimeException,
        ): RuntimeException =
            if (problem is LedgerFailure || problem is SignalboxException || problem is CancellationException) {
                problem
            } else {
                RedisErrors.unlike(reply, problem)
            }
    }
}
