package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer

private const val COROUTINES = 1000
private val OTHERS = listOf(Peer.NO_OP_SCRIPT, Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT, Peer.LOCAL)

/** As many permits as coroutines. */
internal suspend fun uncontended(bench: Bench): List<FigureLine> {
    bench.loops("uncontended", bothForms(64))
    val rounds = bench.loops("uncontended", bothForms(COROUTINES) + OTHERS.map { even(it, COROUTINES) })
    val own = even(Peer.SIGNALBOX, COROUTINES)
    val raw = even(Peer.RAW_LIST, COROUTINES)
    val redisson = even(Peer.REDISSON_PERMIT, COROUTINES)
    return listOf(
        FigureLine.atLeast("P1", "uncontended_vs_raw", rounds.speed(own, raw), 8.0),
        FigureLine.atLeast("P1", "uncontended_vs_redisson", rounds.speed(own, redisson), 30.0),
        FigureLine.atLeast("P1", "uncontended_block_vs_raw", rounds.speed(own.inBlock(), raw), 12.0),
        FigureLine.atLeast("P1", "uncontended_block_vs_redisson", rounds.speed(own.inBlock(), redisson), 45.0),
        FigureLine.shown("P1", "uncontended_block_vs_raw_not_awaited", rounds.speed(own.inBlock(), raw.inBlock()), digits = 1),
    )
}

private fun bothForms(coroutines: Int) =
    listOf(Peer.SIGNALBOX, Peer.RAW_LIST).map { even(it, coroutines) }.flatMap { listOf(it, it.inBlock()) }

private fun even(
    peer: Peer,
    coroutines: Int,
) = Entry(peer, coroutines, permits = coroutines)
