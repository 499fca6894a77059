package io.signalbox.benchmarks.contender

import java.util.concurrent.TimeUnit
import kotlinx.coroutines.future.await

/** Redisson's semaphore with a lease per permit: the one that, like Signalbox, gets the permits of a crashed process back. */
internal class RedissonPermitContender(
    private val arena: Arena,
) : Contender {
    private val client = redisson(arena.uri)
    private val key = "bench:rpermit:${arena.name}"
    private val semaphore = client.getPermitExpirableSemaphore(key).apply { trySetPermits(arena.permits) }
    private val waiters = RedissonWaiters(arena.statistics, key)

    override suspend fun acquire(): Any = semaphore.acquireAsync(LEASE_SECONDS, TimeUnit.SECONDS).await()

    override suspend fun release(grant: Any) {
        semaphore.releaseAsync(grant as String).await()
    }

    /** Its script decrements the counter once per grant. */
    override suspend fun granted(): Long = arena.statistics.calls("decrby")

    override suspend fun isAwaited(): Boolean = waiters.isAwaited()

    override suspend fun wakeUp() = waiters.wakeUp()

    override fun close() = client.end()

    private companion object {
        /** Signalbox' default. */
        const val LEASE_SECONDS = 30L
    }
}
