package io.signalbox.benchmarks.jmh

import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import java.util.concurrent.TimeUnit
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

/** Acquire and release by a single coroutine: latency. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
internal open class SingleBenchmark {
    @JvmField
    @Param("SIGNALBOX", "RAW_LIST", "NO_OP_SCRIPT", "REDISSON_SEMAPHORE", "REDISSON_PERMIT", "LOCAL")
    var peer: Peer = Peer.SIGNALBOX

    @JvmField
    @Param("RELEASE")
    var form: Form = Form.RELEASE

    private lateinit var loop: Loop

    @Setup
    open fun open() {
        loop = Loop(peer, coroutines = 1, permits = 1, form = form)
    }

    @TearDown
    open fun close() = loop.close()

    @Benchmark
    @OperationsPerInvocation(PAIRS)
    open fun pairs() = loop.run(pairsEach = PAIRS)

    internal companion object {
        const val PAIRS = 1000
    }
}
