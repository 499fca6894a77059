package io.signalbox.pool.model

import io.signalbox.internal.coordination.PermitState
import io.signalbox.internal.pool.PoolPermit

/** What the users of a pool see, held against what was promised to them. */
internal class PoolCheck(
    private val world: Simulation,
) {
    class Violation(
        message: String,
    ) : AssertionError(message)

    private class Count(
        val from: Long,
        val permits: Int,
    )

    private val counts = ArrayList<Count>()
    private val held = ArrayList<PoolPermit>()

    /** Moments of grants, and the largest token told until then. */
    private val moments = ArrayList<Pair<Long, Long>>()
    private val tokens = HashSet<Long>()
    var grants = 0
        private set

    fun counts(permits: Int) {
        counts.add(Count(world.now, permits))
    }

    /** The user who asked at [since] has [permit] from now on. */
    fun granted(
        permit: PoolPermit,
        since: Long,
    ) {
        grants++
        held.removeAll { !it.isUsable() }
        held.add(permit)
        val total = held.sumOf { it.permits }
        // The server's clock is the world's.
        val grantedAt = permit.sinceMicros * 1000 - ModelRedis.EPOCH_NANOS
        val most = counts.withIndex().filter { (index, _) ->
            (counts.getOrNull(index + 1)?.from ?: Long.MAX_VALUE) >= grantedAt
        }.maxOf { it.value.permits }
        require(total <= most) { "$total permits of $most are held" }
        val slots = held.flatMap { it.claims }.map { it.hint.slot }
        require(slots.size == slots.toSet().size) { "a slot has two holders: $slots" }
        require(tokens.add(permit.fencingToken)) { "token ${permit.fencingToken} was given twice" }
        val before = moments.lastOrNull { (at, _) -> at < since }?.second ?: 0
        require(permit.fencingToken > before) { "token ${permit.fencingToken} was given to somebody who asked after $before was told" }
        moments.add(world.now to maxOf(permit.fencingToken, moments.lastOrNull()?.second ?: 0))
    }

    fun require(
        holds: Boolean,
        what: () -> String,
    ) {
        if (!holds) throw Violation(what())
    }

    /** Also of a process that stands still, or is dead: the server must keep it for that long. */
    private fun PoolPermit.isUsable() = state == PermitState.HELD && !isOver(world.now)
}
