package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.api.async.RedisAsyncCommands
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.future.await

/**
 * The floor: a list of permits, popped and pushed over one Lettuce connection that pipelines all coroutines. Nobody can wait. The end of
 * its block sends the `RPUSH` and does not wait.
 */
internal class RawListContender(
    arena: Arena,
) : Contender {
    private val client = RedisClient.create(arena.uri)
    private val commands: RedisAsyncCommands<String, String> = client.connect().async()
    private val permits = ListPermits(arena).apply { fill() }

    override suspend fun acquire(): Any = pop()

    override suspend fun release(grant: Any) {
        push(grant).await()
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) {
        val grant = pop()
        try {
            block(grant)
        } finally {
            push(grant)
        }
    }

    private suspend fun pop(): String =
        checkNotNull(commands.lpop(permits.key).await()) { "The list is empty though there are as many permits as coroutines." }

    private fun push(grant: Any) = commands.rpush(permits.key, grant as String)

    override suspend fun settle() {
        commands.ping().await()
    }

    override suspend fun granted(): Long = permits.popped()

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)
}
