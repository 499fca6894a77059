package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Round

private const val PERMITS = 8
private const val MANY = 1000

/** The hand-written pool has a connection per waiter, so it ends here. */
private const val POOL = 256

/** The least that will do beside the BLPOP pool whose `RPUSH` is awaited. */
private class Load(
    val id: String,
    val coroutines: Int,
    val awaited: Double,
    val inBlock: Double,
    val permits: Int = PERMITS,
) {
    val name = if (permits == PERMITS) "$coroutines" else "${coroutines}_on_$permits"
    val scenario = if (permits == PERMITS) "contended" else "contended, one permit"
}

private val SMALL =
    listOf(
        Load("P2c", 1, awaited = 0.6, inBlock = 1.1),
        Load("P2b", 2, awaited = 0.6, inBlock = 1.4, permits = 1),
        Load("P2b", 4, awaited = 0.9, inBlock = 1.7),
        Load("P2b", 16, awaited = 1.6, inBlock = 3.5),
        Load("P2b", 64, awaited = 5.0, inBlock = 8.0),
    )

/** Where this library's own pool algorithm is measured too, beside the pool written by hand. */
private val OWN_POOL = setOf(1, 16, 64)

private val REDISSON = listOf(Peer.REDISSON_SEMAPHORE, Peer.REDISSON_PERMIT)

/** Few permits: many coroutines, and the few that most people begin with. */
internal suspend fun contended(bench: Bench): List<FigureLine> = SMALL.flatMap { few(bench, it) } + many(bench)

private suspend fun few(
    bench: Bench,
    load: Load,
): List<FigureLine> {
    val own = Entry(Peer.SIGNALBOX, load.coroutines, load.permits)
    val pool = own.copy(peer = Peer.BLPOP_POOL)
    val others = if (load.coroutines == 64) REDISSON.map { own.copy(peer = it) } else emptyList()
    val ownPool = own.copy(peer = Peer.SIGNALBOX_POOL).takeIf { load.coroutines in OWN_POOL }
    val rounds = bench.loops(load.scenario, listOfNotNull(own, own.inBlock(), pool, pool.inBlock(), ownPool) + others)
    val name = "contended_${load.name}"
    return listOfNotNull(
        FigureLine.atLeast(load.id, "${name}_vs_blpop_pool", rounds.speed(own, pool), load.awaited),
        FigureLine.atLeast(load.id, "${name}_block_vs_blpop_pool", rounds.speed(own.inBlock(), pool), load.inBlock),
        FigureLine.shown(load.id, "${name}_block_vs_blpop_pool_not_awaited", rounds.speed(own.inBlock(), pool.inBlock()), digits = 1),
        ownPool?.let { ownPool(rounds, it, pool) },
    )
}

private suspend fun many(bench: Bench): List<FigureLine> {
    val own = Entry(Peer.SIGNALBOX, MANY, PERMITS)
    val pool = Entry(Peer.BLPOP_POOL, POOL, PERMITS)
    val ownPool = pool.copy(peer = Peer.SIGNALBOX_POOL)
    val rounds =
        bench.loops("contended", listOf(own, own.inBlock(), pool, pool.inBlock(), ownPool) + REDISSON.map { own.copy(peer = it) })
    val redisson = own.copy(peer = Peer.REDISSON_PERMIT)
    return listOf(
        FigureLine.atLeast("P2", "contended_vs_blpop_pool", rounds.speed(own, pool), 12.0),
        FigureLine.atLeast("P2", "contended_vs_redisson", rounds.speed(own, redisson), 60.0),
        FigureLine.atMost("P2", "contended_p99_vs_blpop_pool", rounds.wait(99.0, own, pool), 0.5),
        FigureLine.atLeast("P2", "contended_block_vs_blpop_pool", rounds.speed(own.inBlock(), pool), 20.0),
        FigureLine.atLeast("P2", "contended_block_vs_redisson", rounds.speed(own.inBlock(), redisson), 80.0),
        FigureLine.atMost("P2", "contended_block_p99_vs_blpop_pool", rounds.wait(99.0, own.inBlock(), pool), 0.5),
        FigureLine.shown("P2", "contended_block_vs_blpop_pool_not_awaited", rounds.speed(own.inBlock(), pool.inBlock()), digits = 1),
        ownPool(rounds, ownPool, pool),
    )
}

/** The pool algorithm beside as many waiters of the pool written by hand. */
private fun ownPool(
    rounds: Map<Entry, List<Round>>,
    own: Entry,
    pool: Entry,
): FigureLine {
    val name = if (own.coroutines == 1) "uncontended_pair" else "contended_${own.coroutines}"
    return FigureLine.shown("pool", "${name}_vs_blpop_pool", rounds.speed(own, pool))
}
