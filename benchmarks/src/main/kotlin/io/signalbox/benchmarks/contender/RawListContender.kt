package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.api.async.RedisAsyncCommands
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.future.await

/** The floor: a list of permits, popped and pushed over one Lettuce connection that pipelines all coroutines. Nobody can wait. */
internal class RawListContender(
    arena: Arena,
) : Contender {
    private val client = RedisClient.create(arena.uri)
    private val commands: RedisAsyncCommands<String, String> = client.connect().async()
    private val permits = ListPermits(arena).apply { fill() }

    override suspend fun acquire(): Any =
        checkNotNull(commands.lpop(permits.key).await()) { "The list is empty though there are as many permits as coroutines." }

    override suspend fun release(grant: Any) {
        commands.rpush(permits.key, grant as String).await()
    }

    override suspend fun granted(): Long = permits.popped()

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)
}
