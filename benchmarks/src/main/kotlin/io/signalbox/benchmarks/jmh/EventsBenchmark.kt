package io.signalbox.benchmarks.jmh

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.SignalPeer
import io.signalbox.benchmarks.contender.Signals
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.SignalLoop
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

/** Set and await, by coroutines that do one after the other. The percentiles are of both together. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
internal open class EventsBenchmark {
    @JvmField
    @Param("EVENT", "RAW_LIST")
    var signals: SignalPeer = SignalPeer.EVENT

    @JvmField
    @Param("1", "64", "1000")
    var coroutines: Int = 0

    private lateinit var statistics: Statistics
    private lateinit var opened: Signals
    private lateinit var loop: SignalLoop

    @Setup
    open fun open() {
        statistics = Statistics(serverUri())
        val arena = Arena(serverUri(), "jmh-${ProcessHandle.current().pid()}", permits = 1, coroutines, statistics)
        opened = runBlocking { signals.open(arena) }
        loop = SignalLoop(signals.title, opened, coroutines)
    }

    @TearDown
    open fun close() {
        opened.close()
        statistics.close()
    }

    @Benchmark
    @OperationsPerInvocation(PAIRS)
    open fun pairs() = Extras.latencies(runBlocking { loop.runPairs(PAIRS / coroutines) })

    internal companion object {
        /** A multiple of all numbers of coroutines. */
        const val PAIRS = 8000
    }
}
