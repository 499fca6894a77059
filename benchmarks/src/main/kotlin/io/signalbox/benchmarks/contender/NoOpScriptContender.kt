package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.AsyncCommand
import io.lettuce.core.protocol.Command
import io.lettuce.core.protocol.CommandArgs
import io.lettuce.core.protocol.CommandType
import java.util.concurrent.TimeUnit
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.suspendCancellableCoroutine

/**
 * The floor of everything that runs a script per operation: `EVALSHA` of a script that does nothing, with the keys and arguments that an
 * exchange of Signalbox with one acquire (or one release) was seen to have, dispatched and answered the same way.
 */
internal class NoOpScriptContender private constructor(
    uri: String,
    private val acquire: ExchangeOnTheWire,
    private val release: ExchangeOnTheWire,
) : Contender {
    private val client = RedisClient.create(uri)
    private val connection = client.connect(ByteArrayCodec.INSTANCE)
    private val sha = connection.sync().scriptLoad(SCRIPT.toByteArray()).toByteArray()

    override suspend fun acquire(): Any = call(acquire)

    override suspend fun release(grant: Any) {
        call(release)
    }

    private suspend fun call(exchange: ExchangeOnTheWire): Any {
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(sha).add(exchange.keys.size.toLong())
        exchange.keys.forEach(args::addKey)
        exchange.arguments.forEach(args::add)
        return suspendCancellableCoroutine { continuation ->
            val command = AsyncCommand(Command(CommandType.EVALSHA, ValueListOutput(ByteArrayCodec.INSTANCE), args))
            command.whenComplete { answer, error ->
                if (error == null) continuation.resume(answer) else continuation.resumeWithException(error)
            }
            connection.dispatch(command)
        }
    }

    override suspend fun granted(): Long? = null

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)

    companion object {
        private const val SCRIPT = "return { ARGV[2] }"

        suspend fun open(arena: Arena): NoOpScriptContender {
            val (acquire, release) = ExchangeOnTheWire.ofLoneAcquireAndRelease(arena.uri)
            return NoOpScriptContender(arena.uri, acquire, release)
        }
    }
}
