package io.signalbox.benchmarks.measure

import com.sun.management.OperatingSystemMXBean
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.testkit.ClusterTopology
import io.signalbox.testkit.RedisTopology
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.LongAdder
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What a round on so many masters did, and cost. */
internal class SpreadRound(
    val pairsPerSecond: Double,
    val commandsPerPair: Double,
    val serverMicrosPerPair: Double,
    val clientMicrosPerPair: Double,
)

/** A thousand semaphores, a coroutine at each, on clusters of so many [masters]. */
internal class Spread(
    private val masters: List<Int>,
) : AutoCloseable {
    private class Place(
        val cluster: ClusterTopology,
    ) {
        val client = Signalbox.connectCluster(cluster.uri) { namespace = "bench" }

        fun sum(
            section: String,
            field: String,
        ): Double = cluster.nodes.sumOf { node ->
            node.command("INFO", section).lineSequence().first { it.startsWith("$field:") }.substringAfter(':').trim().toDouble()
        }

        fun cpuMicros() = (sum("cpu", "used_cpu_user") + sum("cpu", "used_cpu_sys")) * MICROS
    }

    private val places = masters.associateWith { Place(RedisTopology.cluster(it, replicas = 0)) }

    suspend fun measure(
        rounds: Int,
        length: Duration,
    ): Map<Int, List<SpreadRound>> {
        val semaphores = places.mapValues { (_, place) -> List(SEMAPHORES) { place.client.semaphore("spread-$it", 1) } }
        return interleaved(masters, rounds, { run(it, semaphores.getValue(it), length) }) { run(it, semaphores.getValue(it), length) }
    }

    private suspend fun run(
        count: Int,
        semaphores: List<Semaphore>,
        length: Duration,
    ): SpreadRound {
        val place = places.getValue(count)
        val commands = place.sum("stats", "total_commands_processed")
        val server = place.cpuMicros()
        val client = os.processCpuTime
        val start = System.nanoTime()
        val end = start + length.inWholeNanoseconds
        val pairs = LongAdder()
        withContext(Dispatchers.Default) {
            coroutineScope {
                for (semaphore in semaphores) {
                    launch {
                        while (System.nanoTime() < end) {
                            if (!semaphore.acquire().release()) throw CheckFailure("A permit of ${semaphore.name} was lost.")
                            pairs.increment()
                        }
                    }
                }
            }
        }
        val seconds = (System.nanoTime() - start) / NANOS
        val done = pairs.sum().toDouble()
        return SpreadRound(
            done / seconds,
            (place.sum("stats", "total_commands_processed") - commands) / done,
            (place.cpuMicros() - server) / done,
            (os.processCpuTime - client) / 1000.0 / done,
        )
    }

    override fun close() {
        places.values.forEach {
            it.client.close()
            it.cluster.close()
        }
    }

    private companion object {
        const val SEMAPHORES = 1000
        const val MICROS = 1e6
        const val NANOS = 1e9
        val os = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
    }
}
