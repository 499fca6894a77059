package io.signalbox.benchmarks.contender

import io.signalbox.java.Permit
import io.signalbox.java.Semaphore
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxOptions
import java.util.concurrent.Executors
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.withContext

/**
 * This library as a Java program sees it that blocks: a platform thread for every loop. Nothing here suspends, so a loop is one task of its
 * thread from beginning to end, without a coroutine to build or to resume.
 */
internal class BlockingContender private constructor(
    arena: Arena,
    private val client: Signalbox,
    private val semaphore: Semaphore,
) : Contender {
    private val threads = Executors.newFixedThreadPool(arena.coroutines)

    override val dispatcher: CoroutineDispatcher = threads.asCoroutineDispatcher()

    override suspend fun acquire(): Any = semaphore.acquire()

    override suspend fun release(grant: Any) {
        check((grant as Permit).release()) { "A permit was lost: $grant" }
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) = semaphore.acquire().use { block(it) }

    override fun tokenOf(grant: Any): Long = (grant as Permit).fencingToken()

    override suspend fun granted(): Long = withContext(Dispatchers.IO) { semaphore.snapshot(1).grants() }

    override suspend fun isAwaited(): Boolean = withContext(Dispatchers.IO) { semaphore.snapshot(1).queueLength() > 0 }

    override fun close() {
        client.close()
        threads.shutdown()
    }

    companion object {
        suspend fun open(arena: Arena): BlockingContender =
            withContext(Dispatchers.IO) {
                val client = Signalbox.connect(arena.uri, SignalboxOptions.builder().namespace("bench").build())
                BlockingContender(arena, client, client.semaphore(arena.name, arena.permits))
            }
    }
}
