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
 * The floor of everything that runs a script per operation: `EVALSHA` of a script that does nothing, with as many keys and arguments as an
 * exchange of Signalbox with one acquire (or one release) has, dispatched and answered the same way.
 */
internal class NoOpScriptContender(
    arena: Arena,
) : Contender {
    private val client = RedisClient.create(arena.uri)
    private val connection = client.connect(ByteArrayCodec.INSTANCE)
    private val sha = connection.sync().scriptLoad(SCRIPT.toByteArray()).toByteArray()
    private val keys = listOf("state", "held", "queue", "sessions", "unclaimed", "limits", "signals").map {
        "bench:noop:{${arena.name}}:$it".toByteArray()
    }
    private val session = "0123456789abcdef0123456789abcdef.1"
    private val inbox = "bench:inbox:{0123456789abcdef0123456789abcdef:0}"
    private var number = 0L

    override suspend fun acquire(): Any = call { add(1).add(0).add(0).add(0).add(0).add(0).add(1).add(1).add(-1).add(1) }

    override suspend fun release(grant: Any) {
        call { add(0).add(1).add(0).add(0).add(0).add(0).add(TOKEN).add(1) }
    }

    private suspend fun call(rest: CommandArgs<ByteArray, ByteArray>.() -> Unit): Any {
        val args = CommandArgs(ByteArrayCodec.INSTANCE).add(sha).add(keys.size.toLong())
        keys.forEach(args::addKey)
        args.add(session).add(number++).add(inbox).add(500).add(1).add(0).add(number).rest()
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

    private companion object {
        const val SCRIPT = "return { ARGV[2] }"
        const val TOKEN = 1_700_000_000_000_000L
    }
}
