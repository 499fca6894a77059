package io.signalbox.benchmarks.measure

import com.sun.management.OperatingSystemMXBean
import io.signalbox.Signalbox
import io.signalbox.benchmarks.contender.Statistics
import java.lang.management.ManagementFactory
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.serialization.Serializable

/** What so many waiting coroutines cost. */
@Serializable
internal class WaitingCost(
    val coroutines: Int,
    val connections: Int,
    /** Heap each, beyond a coroutine that is suspended and nothing else. */
    val heapBytesEach: Double,
    val commandsPerLease: Double,
    val clientCpuPercent: Double,
    val serverCpuPercent: Double,
)

/** Coroutines that wait for the one permit of a semaphore, in one client with the default lease of 30 s. */
internal class Waiting(
    private val uri: String,
    private val statistics: Statistics,
) {
    /** [window]: how long the heartbeats are watched. */
    suspend fun measure(
        coroutines: Int,
        window: Duration,
    ): WaitingCost {
        val bare = heapOf(coroutines) { awaitCancellation() }
        val connectionsBefore = statistics.connections()
        val client = Signalbox.connect(uri) { namespace = "waiting" }
        try {
            val semaphore = client.semaphore("waiting-$coroutines", permits = 1)
            semaphore.acquire()
            lateinit var watched: Watched
            val waiting =
                heapOf(
                    coroutines,
                    settled = { while (semaphore.snapshot(limit = 1).queueLength < coroutines) delay(20.milliseconds) },
                    then = { watched = watch(window) },
                ) { semaphore.acquire() }
            return WaitingCost(
                coroutines,
                watched.connections - connectionsBefore,
                (waiting - bare) / coroutines,
                watched.commands * (LEASE / window),
                watched.clientCpu * PERCENT,
                watched.serverCpu * PERCENT,
            )
        } finally {
            client.closeAndJoin()
        }
    }

    /** Heap in bytes that [coroutines] times [body] keep alive, each in a coroutine of its own. */
    private suspend fun heapOf(
        coroutines: Int,
        settled: suspend () -> Unit = {},
        then: suspend () -> Unit = {},
        body: suspend () -> Unit,
    ): Double {
        val job = Job()
        val scope = CoroutineScope(job + Dispatchers.Default)
        val before = usedHeap()
        repeat(coroutines) { scope.launch(start = CoroutineStart.UNDISPATCHED) { body() } }
        settled()
        val heap = (usedHeap() - before).toDouble()
        then()
        job.cancelAndJoin()
        return heap
    }

    private class Watched(
        val connections: Int,
        val commands: Long,
        val clientCpu: Double,
        val serverCpu: Double,
    )

    private suspend fun watch(window: Duration): Watched {
        delay(SETTLE)
        val commands = commands()
        val server = statistics.cpuSeconds()
        val client = SYSTEM.processCpuTime
        delay(window)
        val clientCpu = (SYSTEM.processCpuTime - client) / 1e9
        return Watched(
            statistics.connections(),
            commands() - commands,
            clientCpu / window.inWholeMilliseconds * 1e3,
            (statistics.cpuSeconds() - server) / window.inWholeMilliseconds * 1e3,
        )
    }

    /** Exchanges and renewed blocking pops. */
    private fun commands() = statistics.calls("evalsha") + statistics.calls("blpop")

    private suspend fun usedHeap(): Long {
        repeat(3) {
            System.gc()
            delay(100.milliseconds)
        }
        return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used
    }

    private companion object {
        val LEASE = 30.seconds

        /** Until what the arrival of the waiters has started has ended. */
        val SETTLE = 3.seconds
        const val PERCENT = 100
        val SYSTEM = ManagementFactory.getOperatingSystemMXBean() as OperatingSystemMXBean
    }
}
