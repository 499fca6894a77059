package io.signalbox.benchmarks.jmh

import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.Waiting
import java.util.concurrent.TimeUnit
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.runBlocking
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Measurement
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import org.openjdk.jmh.annotations.Warmup

/** What waiting coroutines cost. What counts are the costs; the time is that of the observation. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
internal open class WaitingBenchmark {
    @JvmField
    @Param("1000", "10000", "100000")
    var coroutines: Int = 0

    private lateinit var statistics: Statistics

    @Setup
    open fun open() {
        statistics = Statistics(serverUri())
    }

    @TearDown
    open fun close() = statistics.close()

    @Benchmark
    open fun wait30Seconds() {
        val cost = runBlocking { Waiting(serverUri(), statistics).measure(coroutines, 30.seconds) }
        Extras.cost("connections", cost.connections.toDouble(), "connections")
        Extras.cost("heap", cost.heapBytesEach, "B/coroutine")
        Extras.cost("commands", cost.commandsPerLease, "commands/lease")
        Extras.cost("cpu.client", cost.clientCpuPercent, "%")
        Extras.cost("cpu.server", cost.serverCpuPercent, "%")
    }
}
