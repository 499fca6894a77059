package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.SpreadRound
import io.signalbox.benchmarks.measure.Summary

private const val COROUTINES = 1000
private const val PERMITS = 8

/** What routing, and announcements that the client makes itself, cost: how many times as fast, or quick, one server is. */
internal suspend fun cluster(bench: Bench): List<FigureLine> {
    fun pair(permits: Int) = Pair(Entry(Peer.SIGNALBOX, COROUTINES, permits), Entry(Peer.SIGNALBOX_CLUSTER, COROUTINES, permits))

    suspend fun speed(
        scenario: String,
        permits: Int,
    ): Summary = pair(permits).let { (one, three) -> bench.loops(scenario, listOf(one, three)).speed(one, three) }

    val uncontended = speed("cluster, uncontended", COROUTINES)
    val contended = speed("cluster, contended", PERMITS)
    val handOffs = bench.handOffs(listOf(Peer.SIGNALBOX, Peer.SIGNALBOX_CLUSTER))

    fun median(peer: Peer) = handOffs.getValue(peer).map { it.getValueAtPercentile(50.0).toDouble() }
    return listOf(
        FigureLine.atMost("C1", "cluster_uncontended_price", uncontended, 1.3),
        FigureLine.atMost("C1", "cluster_contended_price", contended, 1.3),
        FigureLine.shown("C1", "cluster_handoff_p50_price", Summary.ofRatios(median(Peer.SIGNALBOX_CLUSTER), median(Peer.SIGNALBOX))),
    )
}

/** On a machine whose cores are all busy more masters make nothing faster: what must not grow is what a pair costs. */
internal suspend fun spread(bench: Bench): List<FigureLine> {
    val rounds = bench.spread()

    fun ratio(of: (SpreadRound) -> Double) = Summary.ofRatios(rounds.getValue(3).map(of), rounds.getValue(1).map(of))
    return listOf(
        FigureLine.shown("C2", "pairs_per_second_3_vs_1", ratio { it.pairsPerSecond }),
        FigureLine.atMost("C2", "commands_per_pair_3_vs_1", ratio { it.commandsPerPair }, 1.1),
        FigureLine.atMost("C2", "server_cpu_per_pair_3_vs_1", ratio { it.serverMicrosPerPair }, 1.3),
        FigureLine.atMost("C2", "client_cpu_per_pair_3_vs_1", ratio { it.clientMicrosPerPair }, 1.3),
        FigureLine.shown("C2", "pairs_per_second_1", Summary.of(rounds.getValue(1).map { it.pairsPerSecond }), digits = 0),
        FigureLine.shown("C2", "pairs_per_second_3", Summary.of(rounds.getValue(3).map { it.pairsPerSecond }), digits = 0),
        FigureLine.shown("C2", "commands_per_pair_1", Summary.of(rounds.getValue(1).map { it.commandsPerPair })),
    )
}
