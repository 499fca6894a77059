package io.signalbox.internal.redis

import io.lettuce.core.RedisCommandExecutionException
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.lettuce.core.protocol.ProtocolKeyword
import io.signalbox.Durability
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.LedgerFailure
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.future.await
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull

/**
 * Has servers confirm that what they were told before is where it has to be, over a connection of its own to each, so that nobody waits but
 * who wants to know. Whoever asks while one question is under way shares the next.
 */
internal class Confirmations(
    private val durability: Durability,
    private val nodes: Nodes,
    private val keys: Keys,
    private val scope: CoroutineScope,
) {
    private val lines = ConcurrentHashMap<Node, Line>()

    /**
     * Suspends until what is known of [name] is where it has to be.
     *
     * @throws StoreUnavailableException if it is not in time, or nobody can tell.
     */
    suspend fun confirm(name: String) {
        val key = keys.barrier(name)
        val problem =
            try {
                val node = nodes.find(key)
                val asked = Asked(key)
                lines[node]?.questions?.trySend(asked) ?: lineTo(node).questions.trySend(asked)
                asked.answer.await()
            } catch (failure: LedgerFailure) {
                failure.error
            }
        if (problem != null) throw StoreUnavailableException("The permit of '$name' was given back: ${problem.message}", problem)
    }

    private fun lineTo(node: Node): Line {
        // Those to nodes that are none any more.
        for ((other, line) in lines) if (other.isRetired && lines.remove(other, line)) line.end()
        return lines.computeIfAbsent(node) { Line(node) }
    }

    private class Asked(
        val key: ByteArray,
    ) {
        val answer = CompletableDeferred<Throwable?>()
    }

    private inner class Line(
        private val node: Node,
    ) {
        val questions = Channel<Asked>(Channel.UNLIMITED)
        private var own: OwnConnection? = null

        private val worker = scope.launch { answerForEver() }

        fun end() = worker.cancel()

        private suspend fun answerForEver() {
            val asked = ArrayList<Asked>()
            try {
                while (true) {
                    asked.add(questions.receive())
                    while (true) asked.add(questions.tryReceive().getOrNull() ?: break)
                    val problem = problem(asked[0].key)
                    asked.forEach { it.answer.complete(problem) }
                    asked.clear()
                }
            } finally {
                own?.end?.invoke()
                generateSequence { questions.tryReceive().getOrNull() }.forEach(asked::add)
                asked.forEach { it.answer.complete(CancellationException("This client was closed.")) }
            }
        }

        /** Why it is not known to be where it has to be; `null` if it is. */
        private suspend fun problem(key: ByteArray): Throwable? =
            try {
                withTimeoutOrNull(durability.timeoutMillis.milliseconds + GRACE) { Answer(round(key)) }.let {
                    if (it == null) {
                        hangUp()
                        IllegalStateException("the server did not say within ${durability.timeoutMillis.milliseconds} where it is.")
                    } else {
                        it.shortfall
                    }
                }
            } catch (problem: Exception) {
                currentCoroutineContext().ensureActive()
                hangUp()
                nodes.doubt()
                if (problem is RedisCommandExecutionException) refused(problem) else problem
            }

        private fun hangUp() {
            own?.end?.invoke()
            own = null
        }

        /** What it says of where it is: `null` if it is there. */
        private suspend fun round(key: ByteArray): String? {
            val connection = (own?.takeIf { it.connection.isOpen } ?: node.connect().also { own = it }).connection
            // The server waits for what this connection has written; what was written before is there before that.
            val written = connection.send(CommandType.HSET, arguments(key).add("at").add(1), IntegerOutput(ByteArrayCodec.INSTANCE))
            val kept = connection.send(CommandType.PEXPIRE, arguments(key).add(KEPT_MILLIS), IntegerOutput(ByteArrayCodec.INSTANCE))
            val replicas = durability.replicas.toLong()
            val timeout = durability.timeoutMillis
            val shortfall =
                if (durability.isOnDisk) {
                    val arguments = CommandArgs(ByteArrayCodec.INSTANCE).add(1L).add(replicas).add(timeout)
                    val (disk, others) = connection.send(WaitAof, arguments, ArrayOutput(ByteArrayCodec.INSTANCE)).await().map {
                        it as Long
                    }
                    if (disk >= 1 &&
                        others >= replicas
                    ) {
                        null
                    } else {
                        "it was on $disk of 1 disk of the primary and $others of $replicas of replicas"
                    }
                } else {
                    val arguments = CommandArgs(ByteArrayCodec.INSTANCE).add(replicas).add(timeout)
                    val others: Long = connection.send(CommandType.WAIT, arguments, IntegerOutput(ByteArrayCodec.INSTANCE)).await()
                    if (others >= replicas) null else "it was on $others of $replicas replicas"
                }
            written.await()
            kept.await()
            return shortfall
        }

        private fun arguments(key: ByteArray): Arguments = CommandArgs(ByteArrayCodec.INSTANCE).addKey(key)

        private fun <T> Connection.send(
            type: ProtocolKeyword,
            arguments: Arguments,
            output: Output<T>,
        ): AsyncCommand<ByteArray, ByteArray, T> = AsyncCommand(Command(type, output, arguments)).also { dispatch(it) }
    }

    private inner class Answer(
        short: String?,
    ) {
        val shortfall = short?.let { IllegalStateException("$it within ${durability.timeoutMillis.milliseconds}.") }
    }

    private fun refused(error: RedisCommandExecutionException): Throwable {
        val needs = if (durability.isOnDisk) "WAITAOF, which Redis has from 7.2 on, append-only files," else "WAIT"
        return IllegalStateException(
            "the server cannot confirm it (${error.message?.trimEnd('.')}). $needs and the right to it are needed.",
            error,
        )
    }

    /** The driver does not know it. */
    private object WaitAof : ProtocolKeyword {
        override fun getBytes(): ByteArray = "WAITAOF".toByteArray()

        override fun toString(): String = "WAITAOF"
    }

    private companion object {
        const val KEPT_MILLIS = 60_000L

        /** For the way there and back. */
        val GRACE = 2.seconds
    }
}
