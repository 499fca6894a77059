package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer

private const val PROCESSES = 2

/** Two processes of 500 coroutines for 8 permits, beside two pools of 256 connections. */
internal suspend fun twoProcesses(bench: Bench): List<FigureLine> {
    val own = Entry(Peer.SIGNALBOX, coroutines = PROCESSES * 500, permits = 8)
    val pool = Entry(Peer.BLPOP_POOL, coroutines = PROCESSES * 256, permits = 8)
    val rounds =
        bench
            .processes("two processes", PROCESSES, listOf(own, own.inBlock(), pool, pool.inBlock()))
            .mapValues { (_, of) -> of.map { it.round } }
    return listOf(
        FigureLine.atLeast("P8", "two_processes_vs_blpop_pool", rounds.speed(own, pool), 6.0),
        FigureLine.atMost("P8", "two_processes_p99_vs_blpop_pool", rounds.wait(99.0, own, pool), 0.5),
        FigureLine.atLeast("P8", "two_processes_block_vs_blpop_pool", rounds.speed(own.inBlock(), pool), 10.0),
        FigureLine.atMost("P8", "two_processes_block_p99_vs_blpop_pool", rounds.wait(99.0, own.inBlock(), pool), 0.5),
        FigureLine.shown("P8", "two_processes_block_vs_blpop_pool_not_awaited", rounds.speed(own.inBlock(), pool.inBlock()), digits = 1),
    )
}
