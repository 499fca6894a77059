package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Round
import io.signalbox.benchmarks.measure.Summary

private val PEERS =
    listOf(Peer.SIGNALBOX, Peer.RAW_LIST, Peer.NO_OP_SCRIPT, Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT, Peer.LOCAL)

/** As many permits as coroutines. */
internal suspend fun uncontended(bench: Bench): List<FigureLine> {
    bench.loops("uncontended", { it }, PEERS.map { it to 64 })
    val rounds = bench.loops("uncontended", { it }, PEERS.map { it to 1000 }).mapKeys { it.key.first }
    return listOf(
        FigureLine.atLeast("P1", "uncontended_vs_raw", rounds.speed(Peer.SIGNALBOX, Peer.RAW_LIST), 6.0),
        FigureLine.atLeast("P1", "uncontended_vs_redisson", rounds.speed(Peer.SIGNALBOX, Peer.REDISSON_PERMIT), 15.0),
    )
}

internal fun <K> Map<K, List<Round>>.speed(
    of: K,
    beside: K,
): Summary = Summary.ofRatios(getValue(of).map { it.pairsPerSecond }, getValue(beside).map { it.pairsPerSecond })
