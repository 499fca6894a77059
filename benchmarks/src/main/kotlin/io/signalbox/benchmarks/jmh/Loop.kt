package io.signalbox.benchmarks.jmh

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Form
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.ClosedLoop
import kotlinx.coroutines.runBlocking

/** The closed loop of one peer under one load, for the life of a trial. */
internal class Loop(
    peer: Peer,
    coroutines: Int,
    permits: Int,
    form: Form = Form.RELEASE,
) : AutoCloseable {
    private val statistics = Statistics(serverUri())
    private val contender: Contender
    private val loop: ClosedLoop

    init {
        val arena = Arena(serverUri(), "jmh-${ProcessHandle.current().pid()}", permits, coroutines, statistics)
        contender = runBlocking { peer.open(arena) }
        loop = ClosedLoop(peer.title(form), contender, coroutines, permits, form)
    }

    /** Every coroutine does as many; the checks are made each time. */
    fun run(pairsEach: Int) {
        Extras.latencies(runBlocking { loop.runPairs(pairsEach) }.acquire)
    }

    override fun close() {
        contender.close()
        statistics.close()
    }
}
