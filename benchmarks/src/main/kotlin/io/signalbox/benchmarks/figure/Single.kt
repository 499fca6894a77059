package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary

private const val MORE_NANOS = 10_000

/** One coroutine, one permit: its acquires beside a script that does nothing, and beside Redisson. */
internal suspend fun single(bench: Bench): List<FigureLine> {
    val own = Entry(Peer.SIGNALBOX, coroutines = 1, permits = 1)
    val noOp = own.copy(peer = Peer.NO_OP_SCRIPT)
    val permit = own.copy(peer = Peer.REDISSON_PERMIT)
    val semaphore = own.copy(peer = Peer.REDISSON_SEMAPHORE)
    val raw = own.copy(peer = Peer.RAW_LIST)
    val rounds = bench.loops("uncontended", listOf(own, own.inBlock(), noOp, raw, semaphore, permit))
    return listOf(own to "single", own.inBlock() to "single_block").flatMap { (form, name) ->
        val more = Summary.of(rounds.waits(50.0, form).zip(rounds.waits(50.0, noOp)) { value, least -> value - least })
        val isClose = more.median <= MORE_NANOS
        listOf(
            FigureLine.atMost("P3", "${name}_p50_vs_noop_script", rounds.wait(50.0, form, noOp), 1.2, excused = isClose),
            FigureLine.atMost("P3", "${name}_p50_vs_redisson_permit", rounds.wait(50.0, form, permit), 1.0),
            FigureLine.atMost("P3", "${name}_p50_vs_redisson_semaphore", rounds.wait(50.0, form, semaphore), 1.3),
        )
    }
}
