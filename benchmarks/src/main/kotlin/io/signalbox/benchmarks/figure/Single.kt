package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary

private val PEERS =
    listOf(Peer.SIGNALBOX, Peer.NO_OP_SCRIPT, Peer.RAW_LIST, Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT, Peer.LOCAL)
private const val MORE_NANOS = 10_000

/** One coroutine, one permit: its acquires beside a script that does nothing. */
internal suspend fun single(bench: Bench): List<FigureLine> {
    val rounds = bench.loops("uncontended", { it }, PEERS.map { it to 1 }).mapKeys { it.key.first }
    val own = rounds.getValue(Peer.SIGNALBOX).map { it.acquire.getValueAtPercentile(50.0).toDouble() }
    val floor = rounds.getValue(Peer.NO_OP_SCRIPT).map { it.acquire.getValueAtPercentile(50.0).toDouble() }
    val more = Summary.of(own.zip(floor) { value, least -> value - least })
    val isClose = more.median <= MORE_NANOS
    return listOf(FigureLine.atMost("P3", "single_p50_vs_noop_script", Summary.ofRatios(own, floor), 1.15, excused = isClose))
}
