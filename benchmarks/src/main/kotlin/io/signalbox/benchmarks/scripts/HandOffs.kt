package io.signalbox.benchmarks.scripts

import io.signalbox.Semaphore
import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay

/** Two clients of as many semaphores as hand-offs are to be measured, so that nothing but hand-offs need be said meanwhile. */
internal class HandOffs private constructor(
    private val clients: List<Signalbox>,
    private val semaphores: List<Pair<Semaphore, Semaphore>>,
) : AutoCloseable {
    /** Calls [measured] with a block in which the first client gives every permit to the second, one after the other. */
    suspend fun price(measured: suspend (handOffs: suspend () -> Unit) -> Double): Double =
        coroutineScope {
            val held = semaphores.map { (first, _) -> first.acquire() }
            val waiting = semaphores.map { (_, second) -> acquiring(second) }
            semaphores.forEach { (first, _) -> while (first.snapshot(limit = 1).queueLength == 0) delay(1.milliseconds) }
            val micros = measured {
                held.zip(waiting) { permit, waiter ->
                    permit.release()
                    waiter.await()
                }
            }
            waiting.awaitAll().forEach { it.release() }
            micros
        }

    override fun close() = clients.forEach { it.close() }

    companion object {
        suspend fun open(
            uri: String,
            calls: Int,
        ): HandOffs {
            val (first, second) = List(2) { client(uri) }
            val pairs =
                List(calls) { first.semaphore("hand-off-$it", permits = 1) to second.semaphore("hand-off-$it", permits = 1) }
            return HandOffs(listOf(first, second), pairs)
        }
    }
}
