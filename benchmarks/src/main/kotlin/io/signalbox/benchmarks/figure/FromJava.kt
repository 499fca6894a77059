package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer

/** A pair through the futures of the Java API beside one of the Kotlin API, with 1000 in flight. */
internal suspend fun javaFutures(bench: Bench): List<FigureLine> {
    val kotlin = Entry(Peer.SIGNALBOX, coroutines = 1000, permits = 1000)
    val java = kotlin.copy(peer = Peer.SIGNALBOX_JAVA)
    val rounds = bench.loops("from Java", listOf(kotlin, kotlin.inBlock(), java, java.inBlock()))
    return listOf(
        // Time per pair, so the other way round.
        FigureLine.atMost("J1", "java_futures_at_1000", rounds.speed(kotlin, java), 1.2),
        FigureLine.shown("J1", "java_futures_closed_at_1000_vs_block", rounds.speed(kotlin.inBlock(), java.inBlock())),
    )
}

/** An acquire of one platform thread through the blocking view beside that of one coroutine. */
internal suspend fun javaBlocking(bench: Bench): List<FigureLine> {
    val kotlin = Entry(Peer.SIGNALBOX, coroutines = 1, permits = 1)
    val java = kotlin.copy(peer = Peer.SIGNALBOX_BLOCKING)
    val rounds = bench.loops("from Java", listOf(kotlin, java))
    return listOf(FigureLine.atMost("J2", "java_blocking_p50", rounds.wait(50.0, java, kotlin), 1.15))
}
