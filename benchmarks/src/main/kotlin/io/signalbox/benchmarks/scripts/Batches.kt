package io.signalbox.benchmarks.scripts

import io.signalbox.Permit
import io.signalbox.benchmarks.contender.EXCHANGE_COMMAND
import io.signalbox.testkit.FaultProxy
import java.net.URI
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withContext

/** A client whose exchanges can be held back on their way, so that what is said meanwhile goes into one. */
internal class Batches(
    uri: String,
) : AutoCloseable {
    private val proxy = URI(uri).let { FaultProxy(it.host, it.port) }
    private val client = client("redis://${proxy.host}:${proxy.port}")

    /** An exchange of so many acquires, the mean of some: what it and the lone acquire cost that it waited for, without the latter. */
    suspend fun price(
        meter: Meter,
        batch: Int,
        loneAcquire: Double,
    ): Double = List(TIMES) { both(meter, batch) }.average() - loneAcquire

    private suspend fun both(
        meter: Meter,
        batch: Int,
    ): Double {
        val semaphore = client.semaphore("batch", permits = batch + 1)
        lateinit var permits: List<Permit>
        val micros = meter.microsOf(Kind.BATCH.title, calls = 2) {
            coroutineScope {
                proxy.holdRequests()
                val first = acquiring(semaphore)
                withContext(Dispatchers.IO) { proxy.awaitHeldRequest(EXCHANGE_COMMAND) }
                val others = List(batch) { acquiring(semaphore) }
                proxy.releaseRequests()
                permits = listOf(first.await()) + others.awaitAll()
            }
        }
        permits.forEach { it.release() }
        return micros
    }

    override fun close() {
        client.close()
        proxy.close()
    }

    private companion object {
        const val TIMES = 10
    }
}
