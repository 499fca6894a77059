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

/**
 * What the hand-written pool does with more waiters, each of which occupies a connection; Signalbox, by either algorithm, with as many
 * coroutines over its own few connections.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 3)
@Measurement(iterations = 5, time = 3)
internal open class ConnectionsBenchmark {
    @JvmField
    @Param("SIGNALBOX", "SIGNALBOX_POOL", "BLPOP_POOL")
    var peer: Peer = Peer.SIGNALBOX

    @JvmField
    @Param("1", "16", "64", "256")
    var connections: Int = 0

    @JvmField
    @Param("RELEASE")
    var form: Form = Form.RELEASE

    private lateinit var loop: Loop

    @Setup
    open fun open() {
        loop = Loop(peer, connections, permits = 8, form = form)
    }

    @TearDown
    open fun close() = loop.close()

    @Benchmark
    @OperationsPerInvocation(PAIRS)
    open fun pairs() = loop.run(pairsEach = PAIRS / connections)

    internal companion object {
        /** A multiple of all numbers of connections. */
        const val PAIRS = 4096
    }
}
