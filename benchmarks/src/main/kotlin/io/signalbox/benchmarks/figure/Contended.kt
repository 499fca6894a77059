package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary

private const val PERMITS = 8
private const val POOL = 256
private val PEERS = listOf(Peer.SIGNALBOX, Peer.BLPOP_POOL, Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT)

/** Eight permits. The pool has a connection per waiter, so it ends at 256. */
internal suspend fun contended(bench: Bench): List<FigureLine> {
    bench.loops("contended", { PERMITS }, PEERS.map { it to 64 })
    val most = PEERS.map { it to if (it == Peer.BLPOP_POOL) POOL else 1000 }
    val same = (PEERS - Peer.BLPOP_POOL).map { it to POOL }
    val rounds = bench.loops("contended", { PERMITS }, most + same)
    val signalbox = Peer.SIGNALBOX to 1000
    val tail = Summary.of(
        rounds.getValue(signalbox).map {
            it.acquire.getValueAtPercentile(99.0).toDouble() /
                it.acquire.getValueAtPercentile(50.0)
        },
    )
    return listOf(
        FigureLine.atLeast("P2", "contended_vs_blpop_pool", rounds.speed(signalbox, Peer.BLPOP_POOL to POOL), 2.0),
        FigureLine.atLeast("P2", "contended_vs_redisson", rounds.speed(signalbox, Peer.REDISSON_PERMIT to 1000), 6.0),
        FigureLine.atMost("P2", "contended_p99_vs_p50", tail, 1.3),
    )
}
