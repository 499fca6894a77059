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

/** Acquire and release with fewer permits than coroutines. The pool has a connection per coroutine. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
internal open class ContendedBenchmark {
    @JvmField
    @Param("SIGNALBOX", "BLPOP_POOL", "REDISSON_SEMAPHORE", "REDISSON_PERMIT", "LOCAL")
    var peer: Peer = Peer.SIGNALBOX

    @JvmField
    @Param("64", "256", "1000")
    var coroutines: Int = 0

    @JvmField
    @Param("1", "8")
    var permits: Int = 0

    @JvmField
    @Param("RELEASE")
    var form: Form = Form.RELEASE

    private lateinit var loop: Loop

    @Setup
    open fun open() {
        loop = Loop(peer, coroutines, permits, form = form)
    }

    @TearDown
    open fun close() = loop.close()

    @Benchmark
    @OperationsPerInvocation(PAIRS)
    open fun pairs() = loop.run(pairsEach = PAIRS / coroutines)

    internal companion object {
        /** A multiple of all numbers of coroutines. */
        const val PAIRS = 32_000
    }
}
