package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.api.async.RedisAsyncCommands
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.future.await

/**
 * The hand-written semaphore: `BLPOP` to acquire, `RPUSH` to release. A waiter occupies a connection, so there are as many as
 * coroutines; releases go over the connection that popped.
 */
internal class BlpopPoolContender(
    arena: Arena,
) : Contender {
    private class Grant(
        val permit: String,
        val commands: RedisAsyncCommands<String, String>,
    )

    private val permits = ListPermits(arena).apply { fill() }
    private val statistics = arena.statistics
    private val connectionName = "pool:${arena.name}"
    private val client = RedisClient.create(RedisURI.create(arena.uri).apply { clientName = connectionName })
    private val idle = Channel<RedisAsyncCommands<String, String>>(Channel.UNLIMITED)

    init {
        repeat(arena.coroutines) { idle.trySend(client.connect().async()) }
    }

    override suspend fun acquire(): Any {
        val commands = idle.receive()
        return Grant(commands.blpop(0.0, permits.key).await().value, commands)
    }

    override suspend fun release(grant: Any) {
        grant as Grant
        grant.commands.rpush(permits.key, grant.permit).await()
        idle.trySend(grant.commands)
    }

    override suspend fun granted(): Long = permits.popped()

    override suspend fun isAwaited(): Boolean =
        statistics.commands
            .clientList()
            .lineSequence()
            .any { " name=$connectionName " in it && " flags=b " in it }

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)
}
