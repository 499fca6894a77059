package io.signalbox.benchmarks.jmh

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.HandOff
import io.signalbox.benchmarks.measure.ProcessHandOff
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import org.openjdk.jmh.annotations.Benchmark
import org.openjdk.jmh.annotations.BenchmarkMode
import org.openjdk.jmh.annotations.Fork
import org.openjdk.jmh.annotations.Measurement
import org.openjdk.jmh.annotations.Mode
import org.openjdk.jmh.annotations.OperationsPerInvocation
import org.openjdk.jmh.annotations.OutputTimeUnit
import org.openjdk.jmh.annotations.Param
import org.openjdk.jmh.annotations.Scope
import org.openjdk.jmh.annotations.Setup
import org.openjdk.jmh.annotations.State
import org.openjdk.jmh.annotations.TearDown
import org.openjdk.jmh.annotations.Warmup

/** Hand-off of one permit between two clients. What counts are the percentiles: the time per operation has the check that the other one waits in it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
internal open class HandOffBenchmark {
    @JvmField
    @Param("SIGNALBOX", "BLPOP_POOL", "REDISSON_SEMAPHORE", "REDISSON_PERMIT")
    var peer: Peer = Peer.SIGNALBOX

    @JvmField
    @Param("CLIENTS", "PROCESSES")
    var between: Between = Between.CLIENTS

    private lateinit var statistics: Statistics
    private lateinit var arena: Arena
    private val contenders = mutableListOf<Contender>()

    @Setup
    open fun open() {
        statistics = Statistics(serverUri())
        arena = Arena(serverUri(), "jmh-${ProcessHandle.current().pid()}", permits = 1, coroutines = 1, statistics)
        if (between == Between.CLIENTS) repeat(2) { contenders += runBlocking { peer.open(arena) } }
    }

    @TearDown
    open fun close() {
        contenders.forEach { it.close() }
        statistics.close()
    }

    @Benchmark
    @OperationsPerInvocation(HAND_OFFS)
    open fun handOffs() =
        Extras.latencies(
            when (between) {
                Between.CLIENTS -> runBlocking { HandOff(peer.title(), contenders[0], contenders[1]).runTimes(HAND_OFFS) }
                Between.PROCESSES -> ProcessHandOff(peer, arena).runTimes(HAND_OFFS)
            },
        )

    internal enum class Between { CLIENTS, PROCESSES }

    internal companion object {
        const val HAND_OFFS = 500
    }
}
