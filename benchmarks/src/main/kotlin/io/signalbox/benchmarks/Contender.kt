package io.signalbox.benchmarks

import io.lettuce.core.RedisClient
import io.lettuce.core.api.async.RedisAsyncCommands
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import kotlinx.coroutines.future.await

/** One way of acquiring and releasing, to be run beside the others. */
internal interface Contender : AutoCloseable {
    val name: String

    /** Acquires and releases once; both are awaited. */
    suspend fun pair()

    /** How many acquires the server has granted so far. */
    suspend fun granted(): Long
}

internal class SignalboxContender(
    uri: String,
) : Contender {
    override val name = "signalbox"
    private val client = Signalbox.connect(uri) { namespace = "bench" }
    private lateinit var semaphore: Semaphore

    suspend fun open(permits: Int): SignalboxContender = apply { semaphore = client.semaphore("uncontended-$permits", permits) }

    override suspend fun pair() {
        semaphore.acquire().release()
    }

    override suspend fun granted(): Long = semaphore.snapshot(limit = 1).grants

    override fun close() = client.close()
}

/** The floor: a list of tokens, popped and pushed over one Lettuce connection that pipelines all coroutines. */
internal class RawListContender(
    uri: String,
    permits: Int,
) : Contender {
    override val name = "raw LPOP+RPUSH"
    private val client = RedisClient.create(uri)
    private val commands: RedisAsyncCommands<String, String> = client.connect().async()
    private val key = "bench-list-$permits"
    private val statistics = client.connect().sync()

    init {
        statistics.del(key)
        repeat(permits) { statistics.rpush(key, "token") }
    }

    override suspend fun pair() {
        val token = checkNotNull(commands.lpop(key).await()) { "The list is empty though there are as many tokens as coroutines." }
        commands.rpush(key, token).await()
    }

    override suspend fun granted(): Long =
        Regex("cmdstat_lpop:calls=(\\d+)").find(statistics.info("commandstats"))?.groupValues?.get(1)?.toLong() ?: 0

    override fun close() = client.shutdown()
}
