package io.signalbox.internal.redis

import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.output.CommandOutput
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import io.signalbox.internal.redis.ScriptArgs.addExchange
import io.signalbox.internal.redis.ScriptArgs.addOpening
import java.util.concurrent.ConcurrentHashMap
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/** One client's line to a Redis or Valkey server: scripts over one command connection, announcements through an [Inbox]. */
internal class RedisLedger(
    private val connections: RedisConnections,
    private val scripts: Scripts,
    client: ClientIdentity,
    namespace: String,
    private val announceInScript: Boolean,
    private val retentionMillis: Long,
    private val patience: Duration,
    private val scope: CoroutineScope,
) : Ledger {
    private val keys = Keys(namespace)

    @Volatile
    private var lastReplyAt = System.nanoTime()
    private val semaphoreKeys = ConcurrentHashMap<String, List<ByteArray>>()
    private val listeners = ConcurrentHashMap<String, SessionListener>()
    private val inbox =
        Inbox(
            connections,
            address = { epoch -> keys.inbox(client.id, epoch) },
            scope,
            onLines = { lines -> lines.forEach(::announced) },
            onMoved = { listeners.values.forEach { it.onInboxChanged() } },
        )

    private fun keysOf(name: String): List<ByteArray> = semaphoreKeys.computeIfAbsent(name, keys::semaphore)

    private fun announced(line: ByteArray) {
        val (session, grant) = AnswerParser.announcement(line) ?: return
        listeners[session]?.onGrant(grant)
    }

    override fun inbox(): String = inbox.key

    override fun listen(
        session: String,
        listener: SessionListener,
    ) {
        listeners[session] = listener
    }

    override fun forget(session: String) {
        listeners.remove(session)
    }

    override suspend fun open(
        name: String,
        opening: Opening,
    ): Opened = AnswerParser.opened(ask(scripts.open, name, ValueListOutput(ByteArrayCodec.INSTANCE)) { addOpening(opening) })

    override suspend fun snapshot(
        name: String,
        limit: Int,
    ): SemaphoreSnapshot? =
        SnapshotParser.parse(name, ask(scripts.snapshot, name, ArrayOutput(ByteArrayCodec.INSTANCE)) { add(limit.toLong()) })

    override fun exchange(
        name: String,
        exchange: Exchange,
        silentSince: Long,
        reply: ExchangeReply,
    ) {
        if (silentSince != Ledger.FIRST_DELIVERY) connections.current()?.let { replaceIfSilent(it, silentSince) }
        val connection = connections.current()
        if (connection == null) {
            reconnect()
            return reply.complete(null, LedgerFailure(IllegalStateException("There is no connection at the moment."), false, final = false))
        }
        run(connection, scripts.exchange, keysOf(name), ValueListOutput(ByteArrayCodec.INSTANCE), {
            addExchange(exchange, announceInScript)
        }) { lines, error ->
            if (lines != null) {
                val answer = AnswerParser.exchanged(lines[0])
                if (answer is Answer.Done && answer.queued > 0) inbox.open()
                if (lines.size > 1) announce(connection, lines)
                reply.complete(answer, null)
            } else {
                val failure = RedisErrors.classify(error!!)
                if (RedisErrors.isReadOnly(failure.error)) connections.replace(connection)
                reply.complete(null, failure)
            }
        }
    }

    /** The announcements that the script left to the caller: pairs of inbox and line behind the answer. */
    private fun announce(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        lines: List<ByteArray>,
    ) {
        lines.drop(1).chunked(2).groupBy({ String(it[0]) }, { it[1] }).forEach { (inbox, announcements) ->
            val arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit = {
                add(retentionMillis)
                announcements.forEach { add(it) }
            }
            // Nobody waits for the outcome: a lost announcement is found in the next answer.
            run(connection, scripts.announce, listOf(inbox.toByteArray()), IntegerOutput(ByteArrayCodec.INSTANCE), arguments) { _, _ -> }
        }
    }

    private fun reconnect() {
        scope.launch {
            try {
                connections.command()
            } catch (problem: Exception) {
                if (problem is CancellationException) throw problem
            }
        }
    }

    private suspend fun <T> ask(
        script: Script,
        name: String,
        output: CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
    ): T {
        val connection =
            try {
                connections.command()
            } catch (problem: Exception) {
                if (problem is CancellationException) throw problem
                throw RedisErrors.classify(problem)
            }
        val sentAt = System.nanoTime()
        val result =
            withTimeoutOrNull(patience) {
                suspendCancellableCoroutine { continuation ->
                    run(connection, script, keysOf(name), output, arguments) { result, error ->
                        if (error == null) continuation.resume(result!!) else continuation.resumeWithException(RedisErrors.classify(error))
                    }
                }
            }
        if (result == null) {
            replaceIfSilent(connection, sentAt)
            throw LedgerFailure(IllegalStateException("The server did not answer within $patience."), executed = true, final = false)
        }
        return result
    }

    /** A connection that has carried no reply at all since [sentAt] may be half-open: the next request goes over a new one. */
    private fun replaceIfSilent(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        sentAt: Long,
    ) {
        if (lastReplyAt - sentAt < 0) connections.replace(connection)
    }

    /** EVALSHA, and EVAL with the same arguments if the server does not know the script (any more). */
    private fun <T> run(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        script: Script,
        keys: List<ByteArray>,
        output: CommandOutput<ByteArray, ByteArray, T>,
        arguments: CommandArgs<ByteArray, ByteArray>.() -> Unit,
        done: (T?, Throwable?) -> Unit,
    ) {
        dispatch(connection, CommandType.EVALSHA, output, ScriptArgs.of(script.sha, keys).apply(arguments)) { result, error ->
            if (error != null && RedisErrors.isNoScript(error)) {
                dispatch(connection, CommandType.EVAL, fresh(output), ScriptArgs.of(script.body, keys).apply(arguments), done)
            } else {
                done(result, error)
            }
        }
    }

    @Suppress("UNCHECKED_CAST")
    private fun <T> fresh(output: CommandOutput<ByteArray, ByteArray, T>): CommandOutput<ByteArray, ByteArray, T> =
        when (output) {
            is ArrayOutput<*, *> -> ArrayOutput(ByteArrayCodec.INSTANCE)
            is IntegerOutput<*, *> -> IntegerOutput(ByteArrayCodec.INSTANCE)
            else -> ValueListOutput(ByteArrayCodec.INSTANCE)
        } as CommandOutput<ByteArray, ByteArray, T>

    private fun <T> dispatch(
        connection: StatefulRedisConnection<ByteArray, ByteArray>,
        type: CommandType,
        output: CommandOutput<ByteArray, ByteArray, T>,
        args: CommandArgs<ByteArray, ByteArray>,
        done: (T?, Throwable?) -> Unit,
    ) {
        val command = AsyncCommand(Command(type, output, args))
        command.whenComplete { result, error ->
            lastReplyAt = System.nanoTime()
            done(result, error)
        }
        try {
            connection.dispatch(command)
        } catch (problem: Exception) {
            command.completeExceptionally(problem)
        }
    }

    override suspend fun close() {
        inbox.close()
        connections.close()
    }
}
