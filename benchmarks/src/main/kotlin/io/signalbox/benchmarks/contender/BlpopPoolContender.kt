package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.lettuce.core.api.async.RedisAsyncCommands
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.future.await

/**
 * The hand-written semaphore: `BLPOP` to acquire, `RPUSH` to release. A waiter occupies a connection, so there are as many as
 * coroutines; releases go over the connection that popped. The end of its block sends the `RPUSH` and does not wait.
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
    private val connections = List(arena.coroutines) { client.connect().async() }
    private val idle = Channel<RedisAsyncCommands<String, String>>(Channel.UNLIMITED).apply { connections.forEach { trySend(it) } }

    override suspend fun acquire(): Any = take()

    override suspend fun release(grant: Any) {
        grant as Grant
        push(grant).await()
        idle.trySend(grant.commands)
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) {
        val grant = take()
        try {
            block(grant)
        } finally {
            push(grant)
            idle.trySend(grant.commands)
        }
    }

    private suspend fun take(): Grant {
        val commands = idle.receive()
        return Grant(commands.blpop(0.0, permits.key).await().value, commands)
    }

    private fun push(grant: Grant) = grant.commands.rpush(permits.key, grant.permit)

    /** A connection's commands are executed in order. */
    override suspend fun settle() = connections.map { it.ping() }.forEach { it.await() }

    override suspend fun granted(): Long = permits.popped()

    override suspend fun isAwaited(): Boolean =
        statistics.commands
            .clientList()
            .lineSequence()
            .any { " name=$connectionName " in it && " flags=b " in it }

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)
}
