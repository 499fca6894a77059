package io.signalbox.internal.pool

import io.lettuce.core.RedisChannelHandler
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
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisErrors
import java.util.concurrent.atomic.AtomicReference

/**
 * [PoolConnection] by the driver, which would repeat unanswered commands after it has reconnected, and so tear a transaction: a repeated
 * half of one runs without the other. Here an interruption closes the connection.
 */
internal class LettuceConnection(
    private val lettuce: StatefulRedisConnection<ByteArray, ByteArray>,
) : PoolConnection {
    @Volatile
    override var lastReplyAt: Long = System.nanoTime()
        private set

    override val isOpen: Boolean get() = lettuce.isOpen

    init {
        lettuce.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) = close()
            },
        )
    }

    override fun transact(
        batch: Batch,
        done: (Replies?, LedgerFailure?) -> Unit,
    ) {
        val refusal = AtomicReference<Throwable>()
        val commands = ArrayList<RedisCommand<ByteArray, ByteArray, *>>(batch.requests.size + 2)
        commands.add(queued(MULTI, NOTHING, refusal))
        batch.requests.forEach { commands.add(queued(it.word, it.arguments(), refusal)) }
        val exec = AsyncCommand(Command(EXEC, ArrayOutput(ByteArrayCodec.INSTANCE), NOTHING))
        exec.whenComplete { values, error ->
            lastReplyAt = System.nanoTime()
            when {
                // EXEC only says that one of them was refused, and with it all; the command's own error says why.
                error != null -> done(null, refusal.get()?.let { poolFailure(it, inside = false) } ?: poolFailure(error, inside = true))
                values.size < batch.requests.size -> done(null, null)
                else -> done(Replies(values), null)
            }
        }
        commands.add(exec)
        // The writes of other threads must not come between.
        synchronized(this) {
            try {
                lettuce.dispatch(commands)
            } catch (problem: Exception) {
                exec.completeExceptionally(problem)
            }
        }
    }

    override fun ask(
        request: Batch.Request,
        done: (List<Any?>?, LedgerFailure?) -> Unit,
    ) {
        val command = AsyncCommand(Command(request.word, ArrayOutput(ByteArrayCodec.INSTANCE), request.arguments()))
        command.whenComplete { values, error ->
            lastReplyAt = System.nanoTime()
            if (error == null) done(values, null) else done(null, failure(request.word, error))
        }
        synchronized(this) {
            try {
                lettuce.dispatch(command)
            } catch (problem: Exception) {
                command.completeExceptionally(problem)
            }
        }
    }

    private fun failure(
        word: ProtocolKeyword,
        error: Throwable,
    ) = if (word == CommandType.EVAL) RedisErrors.classify(error) else poolFailure(error, inside = false)

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
        if (lettuce.isOpen) lettuce.closeAsync()
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
