package io.signalbox.examples.demo.semaphore

import io.lettuce.core.ScriptOutputType
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands
import io.signalbox.examples.demo.DemoFailure
import java.util.concurrent.CompletionStage
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.future.await
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.serialization.Serializable

/** What the register made of a write with [token]; [largest] is the largest token it has seen, this one included. */
@Serializable
internal class RegisterAnswer(val token: Long, val accepted: Boolean, val largest: Long)

/**
 * What the workers write to under their permits: a value in Redis that refuses writes with a fencing token smaller than
 * the largest it has seen. A holder that lost its permit without noticing is stopped here.
 */
internal class FencedRegister(private val redis: RedisClusterAsyncCommands<String, String>, run: String) {
    private val keys = arrayOf("signalbox-demo:{$run}:register", "signalbox-demo:{$run}:history")

    suspend fun write(token: Long, writer: String): RegisterAnswer {
        val answer = redis.eval<List<String>>(script, ScriptOutputType.MULTI, keys, "$token", writer, "$RETENTION_MILLIS").inTime()
        return RegisterAnswer(token, accepted = answer[0] == "accepted", largest = answer[1].toLong())
    }

    /** The tokens of all accepted writes, in the order in which they were accepted. */
    suspend fun history(): List<Long> = redis.lrange(keys[1], 0, -1).inTime().map(String::toLong)

    suspend fun delete() {
        redis.del(*keys).inTime()
    }

    private suspend fun <T : Any> CompletionStage<T>.inTime(): T =
        withTimeoutOrNull(TIMEOUT) { await() } ?: throw DemoFailure("Redis did not answer within $TIMEOUT")

    private companion object {
        /** A primary that dies takes some of it. */
        val TIMEOUT = 20.seconds
        val RETENTION_MILLIS = 1.minutes.inWholeMilliseconds
        val script = checkNotNull(FencedRegister::class.java.getResource("/io/signalbox/examples/register.lua")).readText()
    }
}
