package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Summary

/** One mutex on three independent masters, beside Redisson's lock on the same three, and beside one server: what a majority costs. */
internal suspend fun masters(bench: Bench): List<FigureLine> =
    listOf(1, 64).flatMap { coroutines ->
        val own = Entry(Peer.SIGNALBOX_QUORUM, coroutines, permits = 1)
        val redLock = own.copy(peer = Peer.REDISSON_RED_LOCK)
        val single = own.copy(peer = Peer.SIGNALBOX)
        val rounds = bench.loops("three masters", listOf(own, own.inBlock(), redLock, single))

        fun shown(
            name: String,
            value: Summary,
        ) = FigureLine.shown("Q1", "masters_${coroutines}_$name", value)
        listOf(
            shown("vs_red_lock", rounds.speed(own, redLock)),
            shown("block_vs_red_lock", rounds.speed(own.inBlock(), redLock)),
            shown("p50_vs_red_lock", rounds.wait(50.0, own, redLock)),
            shown("p50_vs_one_server", rounds.wait(50.0, own, single)),
        )
    }
