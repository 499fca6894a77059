package io.signalbox.benchmarks.contender

import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicLong
import kotlinx.coroutines.future.await
import org.redisson.RedissonRedLock

/**
 * Redisson's lock on a majority of three independent masters, a client for each. It belongs to a thread by a number, so each acquire says
 * that it is another one.
 */
@Suppress("DEPRECATION") // In favour of locks on one server, which survive no loss of it; it is what there is for several.
internal class RedissonRedLockContender(
    arena: Arena,
) : Contender {
    private val clients = arena.masterUris().map(::redisson)
    private val lock = RedissonRedLock(*clients.map { it.getLock("bench:redlock:${arena.name}") }.toTypedArray())

    init {
        require(arena.permits == 1) { "A lock has one permit, not ${arena.permits}." }
    }

    override suspend fun acquire(): Any {
        val thread = NEXT.incrementAndGet()
        lock.lockAsync(LEASE_SECONDS, TimeUnit.SECONDS, thread).await()
        return thread
    }

    override suspend fun release(grant: Any) {
        lock.unlockAsync(grant as Long).await()
    }

    override suspend fun granted(): Long? = null

    override fun close() = clients.forEach { it.end() }

    private companion object {
        /** Redisson's own default, and that of its permits here. */
        const val LEASE_SECONDS = 30L
        val NEXT = AtomicLong()
    }
}
