package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.api.async.RedisAsyncCommands
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.future.await

/** Signals as elements of a list: `RPUSH` over one connection that pipelines them, `BLPOP` over a connection for every coroutine. */
internal class RawSignals(
    arena: Arena,
) : Signals {
    private val key = "bench:signals:${arena.name}"
    private val client = RedisClient.create(arena.uri)
    private val setting = client.connect().async()
    private val idle = Channel<RedisAsyncCommands<String, String>>(Channel.UNLIMITED)

    init {
        repeat(arena.coroutines) { idle.trySend(client.connect().async()) }
    }

    override suspend fun set() {
        setting.rpush(key, "signal").await()
    }

    override suspend fun await() {
        val commands = idle.receive()
        commands.blpop(0.0, key).await()
        idle.trySend(commands)
    }

    override suspend fun isSet(): Boolean = setting.llen(key).await() > 0

    override fun close() = client.shutdown(0, 2, TimeUnit.SECONDS)
}
