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
import io.signalbox.internal.redis.RedisErrors
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * A connection on which transactions leave as one piece, and that is never used again once it was interrupted.
 *
 * The driver would repeat unanswered commands after it has reconnected, and so tear a transaction: a repeated half of one runs without
 * the other. Here an interruption closes the connection, and whoever waits hears that the outcome is unknown.
 */
internal class PoolConnection(
    val lettuce: StatefulRedisConnection<ByteArray, ByteArray>,
) {
    @Volatile
    var lastReplyAt: Long = System.nanoTime()
        private set

    val isOpen: Boolean get() = lettuce.isOpen

    init {
        lettuce.addListener(
            object : RedisConnectionStateListener {
                override fun onRedisDisconnected(connection: RedisChannelHandler<*, *>) = close()
            },
        )
    }

    /**
     * Sends [batch] between MULTI and EXEC, and calls [done] once: with the replies, with `null` if a watched key had changed, or with an
     * error. Does not block.
     */
    fun transact(
        batch: Batch,
        done: (Replies?, Throwable?) -> Unit,
    ) {
        val refusal = AtomicReference<Throwable>()
        val commands = ArrayList<RedisCommand<ByteArray, ByteArray, *>>(batch.requests.size + 2)
        commands.add(queued(MULTI, Batch.arguments(emptyList()), refusal))
        batch.requests.forEach { commands.add(queued(it.word, it.arguments, refusal)) }
        val exec = AsyncCommand(Command(EXEC, ArrayOutput(ByteArrayCodec.INSTANCE), Batch.arguments(emptyList())))
        exec.whenComplete { values, error ->
            lastReplyAt = System.nanoTime()
            when {
                // EXEC only says that one of them was refused; the command's own error says why.
                error != null -> done(null, refusal.get() ?: error)
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

    /** [transact] that suspends; `null` if a watched key had changed. */
    suspend fun transact(batch: Batch): Replies? =
        suspendCancellableCoroutine { continuation ->
            transact(batch) { replies, error ->
                if (error == null) continuation.resume(replies) else continuation.resumeWithException(poolFailure(error))
            }
        }

    /** One command outside of a transaction; the reply is the only element, unless it is a list itself. */
    suspend fun ask(
        word: ProtocolKeyword,
        vararg arguments: Any,
    ): List<Any?> =
        suspendCancellableCoroutine { continuation ->
            val command = AsyncCommand(Command(word, ArrayOutput(ByteArrayCodec.INSTANCE), Batch.arguments(arguments.asList())))
            command.whenComplete { values, error ->
                lastReplyAt = System.nanoTime()
                if (error == null) continuation.resume(values) else continuation.resumeWithException(failure(word, error))
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
    ) = if (word == CommandType.EVAL) RedisErrors.classify(error) else poolFailure(error)

    private fun queued(
        word: ProtocolKeyword,
        arguments: CommandArgs<ByteArray, ByteArray>,
        refusal: AtomicReference<Throwable>,
    ): AsyncCommand<ByteArray, ByteArray, String> {
        val command = AsyncCommand(Command(word, StatusOutput(ByteArrayCodec.INSTANCE), arguments))
        command.whenComplete { _, error -> if (error != null) refusal.compareAndSet(null, error) }
        return command
    }

    fun close() {
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
    }
}
