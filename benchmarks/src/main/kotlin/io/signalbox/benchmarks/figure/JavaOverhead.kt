package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.contender.Peer

/** A pair through the futures of the Java API beside one of the Kotlin API, with 1000 in flight. */
internal suspend fun javaOverhead(bench: Bench): List<FigureLine> {
    val peers = listOf(Peer.SIGNALBOX, Peer.SIGNALBOX_JAVA)
    val rounds = bench.loops("from Java", { it }, peers.map { it to 1000 }).mapKeys { it.key.first }
    return listOf(FigureLine.atMost("J1", "java_overhead_at_1000", rounds.speed(Peer.SIGNALBOX, Peer.SIGNALBOX_JAVA), 1.2))
}
