package io.signalbox.internal.pool

import io.lettuce.core.RedisChannelHandler
import io.lettuce.core.RedisCommandTimeoutException
import io.lettuce.core.RedisConnectionStateListener
import io.lettuce.core.api.StatefulRedisConnection
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import io.lettuce.core.protocol.ProtocolKeyword
import io.lettuce.core.protocol.RedisCommand
import io.netty.buffer.ByteBuf
import io.netty.util.concurrent.EventExecutor
import io.netty.util.concurrent.ImmediateEventExecutor
import io.netty.util.internal.ThreadExecutorMap
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.Node
import io.signalbox.internal.redis.Once
import io.signalbox.internal.redis.RedisErrors
import java.util.concurrent.atomic.AtomicReference

/**
 * [PoolConnection] by the driver, which would repeat unanswered commands after it has reconnected, and so tear a transaction: a repeated
 * half of one runs without the other. Here an interruption closes the connection.
 *
 * It writes the commands of a batch one by one, each as a task of the connection's event loop, unless it is called on that: then at once,
 * between the tasks that another thread's batch has become. So everything is written on the event loop here.
 */
internal class LettuceConnection(
    private val lettuce: StatefulRedisConnection<ByteArray, ByteArray>,
    override val blockSeconds: Double,
    private val end: Once<*>,
    /** Whether a redirection means that a cluster changes, not that it is a cluster. */
    private val inCluster: Boolean = false,
) : PoolConnection {
    @Volatile
    override var lastReplyAt: Long = System.nanoTime()
        private set

    override val isOpen: Boolean get() = lettuce.isOpen

    @Volatile
    private var loop: EventExecutor? = null

    /** What is to be written as soon as the loop is known. */
    private val held = ArrayList<() -> Unit>(1)

    init {
        lettuce.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) = close()
            },
        )
        findLoop()
    }

    /** By a command that is encoded on it. */
    private fun findLoop() {
        var found: EventExecutor? = null
        val ping =
            object : Command<ByteArray, ByteArray, String>(CommandType.PING, StatusOutput(ByteArrayCodec.INSTANCE)) {
                override fun encode(buf: ByteBuf) {
                    found = ThreadExecutorMap.currentExecutor()
                    super.encode(buf)
                }
            }
        val greeting = AsyncCommand(ping)
        greeting.whenComplete { _, _ ->
            val waiting =
                synchronized(held) {
                    loop = found ?: ImmediateEventExecutor.INSTANCE
                    held.toList().also { held.clear() }
                }
            waiting.forEach(::write)
        }
        dispatch(greeting) { lettuce.dispatch(greeting) }
    }

    private fun write(action: () -> Unit) {
        val executor =
            loop ?: synchronized(held) {
                if (loop == null) {
                    held.add(action)
                    return
                }
                loop!!
            }
        if (executor.inEventLoop()) action() else executor.execute(action)
    }

    /** Has [command] completed if what writes it throws. */
    private inline fun dispatch(
        command: AsyncCommand<*, *, *>,
        write: () -> Unit,
    ) {
        try {
            write()
        } catch (problem: Exception) {
            command.completeExceptionally(problem)
        }
    }

    override fun transact(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    ) {
        if (!batch.isTransaction) return sendOneByOne(batch, done)
        val refusal = AtomicReference<Throwable>()
        val commands = ArrayList<RedisCommand<ByteArray, ByteArray, *>>(batch.requests.size + 2)
        commands.add(queued(MULTI, NOTHING, refusal))
        batch.requests.forEach { commands.add(queued(it.word, it.arguments(), refusal)) }
        val exec = AsyncCommand(Command(EXEC, ArrayOutput(ByteArrayCodec.INSTANCE), NOTHING))
        exec.whenComplete { values, error ->
            heard(error)
            when {
                // EXEC only says that one of them was refused, and with it all; the command's own error says why.
                error != null -> done(
                    null,
                    refusal.get()?.let { poolFailure(it, inside = false, inCluster) } ?: poolFailure(error, inside = true, inCluster),
                )
                values.size < batch.requests.size -> done(null, null)

                values.size > batch.requests.size -> {
                    close()
                    done(null, RedisErrors.unlike(values, IllegalStateException("A transaction was answered with more than it asks for.")))
                }

                else -> done(Replies(values), null)
            }
        }
        commands.add(exec)
        dispatch(exec) { write { dispatch(exec) { lettuce.dispatch(commands) } } }
    }

    private fun sendOneByOne(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    ) {
        val values = arrayOfNulls<Any?>(batch.requests.size)
        var problem: LedgerFailure? = null
        batch.requests.forEachIndexed { index, request ->
            // Replies come in order, on one thread.
            ask(request) { value, failure ->
                values[index] = value
                problem = problem ?: failure
                if (index == values.size - 1) done(if (problem == null) Replies(values.asList()) else null, problem)
            }
        }
    }

    override fun ask(
        request: Batch.Request,
        done: (List<Any?>?, LedgerFailure?) -> Unit,
    ) {
        val command = AsyncCommand(Command(request.word, ArrayOutput(ByteArrayCodec.INSTANCE), request.arguments()))
        command.whenComplete { values, error ->
            heard(error)
            if (error == null) done(values, null) else done(null, failure(request.word, error))
        }
        dispatch(command) { write { dispatch(command) { lettuce.dispatch(command) } } }
    }

    /** A driver with a time limit of its own has given up: whatever is answered later must not be taken for something else. */
    private fun heard(error: Throwable?) {
        if (Node.isReply(error)) {
            lastReplyAt = System.nanoTime()
        } else if (error is RedisCommandTimeoutException) {
            close()
        }
    }

    private fun failure(
        word: ProtocolKeyword,
        error: Throwable,
    ) = if (word == CommandType.EVAL) RedisErrors.classify(error, inCluster = inCluster) else poolFailure(error, inside = false, inCluster)

    private fun queued(
        word: ProtocolKeyword,
        arguments: CommandArgs<ByteArray, ByteArray>,
        refusal: AtomicReference<Throwable>,
    ): AsyncCommand<ByteArray, ByteArray, String> {
        val command = AsyncCommand(Command(word, StatusOutput(ByteArrayCodec.INSTANCE), arguments))
        command.whenComplete { _, error -> if (error != null) refusal.compareAndSet(null, error) }
        return command
    }

    override fun close() {
        end()
    }

    /** Under its common name the driver keeps its own account of a transaction, which expects its parts one by one. */
    private class Renamed(
        private val type: CommandType,
    ) : ProtocolKeyword {
        override fun getBytes(): ByteArray = type.bytes

        override fun toString(): String = "POOL-$type"
    }

    private companion object {
        val MULTI = Renamed(CommandType.MULTI)
        val EXEC = Renamed(CommandType.EXEC)
        val NOTHING: CommandArgs<ByteArray, ByteArray> get() = CommandArgs(ByteArrayCodec.INSTANCE)
    }
}
