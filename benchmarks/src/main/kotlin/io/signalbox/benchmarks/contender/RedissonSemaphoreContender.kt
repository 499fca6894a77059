package io.signalbox.benchmarks.contender

import kotlinx.coroutines.future.await

/** Redisson's plain semaphore: a counter without leases, waiters woken by publish/subscribe. */
internal class RedissonSemaphoreContender(
    private val arena: Arena,
) : Contender {
    private val client = redisson(arena.uri)
    private val key = "bench:rsem:${arena.name}"
    private val semaphore = client.getSemaphore(key).apply { trySetPermits(arena.permits) }
    private val waiters = RedissonWaiters(arena.statistics, key)

    override suspend fun acquire(): Any {
        semaphore.acquireAsync().await()
        return Unit
    }

    override suspend fun release(grant: Any) {
        semaphore.releaseAsync().await()
    }

    /** Its script decrements the counter once per grant. */
    override suspend fun granted(): Long = arena.statistics.calls("decrby")

    override suspend fun isAwaited(): Boolean = waiters.isAwaited()

    override suspend fun wakeUp() = waiters.wakeUp()

    override fun close() = client.end()
}
