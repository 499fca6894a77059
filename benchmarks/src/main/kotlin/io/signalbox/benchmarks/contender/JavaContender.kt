package io.signalbox.benchmarks.contender

import io.signalbox.java.AsyncPermit
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxOptions
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers

/** This library as Java programs see it, through futures. The block is a try with a permit that is closed at its end. */
internal class JavaContender private constructor(
    private val client: Signalbox,
    private val semaphore: AsyncSemaphore,
) : Contender {
    /** A loop goes on where its future is completed, as stages do: no coroutine of Kotlin is in it, so no hop of one either. */
    override val dispatcher: CoroutineDispatcher get() = Dispatchers.Unconfined

    override suspend fun acquire(): Any = semaphore.acquire().result()

    override suspend fun release(grant: Any) {
        check((grant as AsyncPermit).release().result()) { "A permit was lost: $grant" }
    }

    override suspend fun withPermit(block: suspend (grant: Any) -> Unit) = semaphore.acquire().result().use { block(it) }

    override fun tokenOf(grant: Any): Long = (grant as AsyncPermit).fencingToken()

    override suspend fun granted(): Long = semaphore.snapshot(1).result().grants()

    override suspend fun isAwaited(): Boolean = semaphore.snapshot(1).result().queueLength() > 0

    override fun close() = client.async().close()

    companion object {
        suspend fun open(arena: Arena): JavaContender {
            val client = Signalbox.connect(arena.uri, SignalboxOptions.builder().namespace("bench").build())
            return JavaContender(client, client.async().semaphore(arena.name, arena.permits).result())
        }
    }
}
