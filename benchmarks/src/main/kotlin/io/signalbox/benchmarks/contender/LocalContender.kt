package io.signalbox.benchmarks.contender

import java.util.concurrent.atomic.AtomicLong
import kotlinx.coroutines.sync.Semaphore

/** The local reference: `kotlinx.coroutines.sync.Semaphore`, no server at all. */
internal class LocalContender(
    arena: Arena,
) : Contender {
    private val semaphore = Semaphore(arena.permits)
    private val grants = AtomicLong()

    override suspend fun acquire(): Any {
        semaphore.acquire()
        grants.incrementAndGet()
        return Unit
    }

    override suspend fun release(grant: Any) = semaphore.release()

    override suspend fun granted(): Long = grants.get()

    override fun close() = Unit
}
