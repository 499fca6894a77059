package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary

private val REDISSON = listOf(Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT)

/** The raw hand-off is the pool's: RPUSH to a list of one element, with a BLPOP waiting. Redisson's is the better one of its two. */
internal suspend fun handOff(bench: Bench): List<FigureLine> {
    val rounds = bench.handOffs(listOf(Peer.SIGNALBOX, Peer.BLPOP_POOL) + REDISSON)

    fun percentile(
        peer: Peer,
        percentile: Double,
    ) = rounds.getValue(peer).map { it.getValueAtPercentile(percentile).toDouble() }
    val redisson = REDISSON.minBy { Summary.of(percentile(it, 99.0)).median }
    return listOf(
        FigureLine.atMost(
            "P4",
            "handoff_p50_vs_raw",
            Summary.ofRatios(percentile(Peer.SIGNALBOX, 50.0), percentile(Peer.BLPOP_POOL, 50.0)),
            1.3,
        ),
        FigureLine.atMost(
            "P4",
            "handoff_p99_vs_redisson",
            Summary.ofRatios(percentile(Peer.SIGNALBOX, 99.0), percentile(redisson, 99.0)),
            1.0,
        ),
    )
}
