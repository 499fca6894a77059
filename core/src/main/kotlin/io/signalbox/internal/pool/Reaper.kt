package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS

/**
 * Returns to the pool what the dead have left: slots whose owner has no lease, and slots that nobody owns and no hint names, because
 * a client died between popping the hint and claiming, or a reply was lost.
 *
 * Run by clients that wait. A hint may also be missing because somebody is just claiming it, so it must be missing twice, a while apart; one
 * too many does no harm. What replaces it names the same turn of the slot: whoever has claimed it meanwhile keeps it.
 */
internal class Reaper(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val pace: PoolPace,
) {
    class Found(
        /** How many hints were pushed. */
        val pushed: Int,
        /** When to look again. */
        val nextNanos: Long,
        /** There are fewer slots than permits. */
        val isShort: Boolean,
    )

    private class Suspects(
        val hints: Set<Hint>,
        val since: Long,
    )

    private var suspects = Suspects(emptySet(), 0)

    private val confirmNanos = minOf(pace.leaseNanos / 8, 1_000L * NANOS)

    /** Looks at the pool [id]. */
    suspend fun look(id: String): Found {
        val slots = keys.of(id)
        val content = PoolContent.read(keys, slots, line) ?: return Found(0, LookTimes.mostNanos(0), isShort = false)
        val ends = content.leases(line)
        val dead = content.owners.filter { (hint, owner) -> content.isCurrent(hint) && ends[owner.session] == null }.keys
        val void = content.owners.keys.filter { !content.isCurrent(it) }
        val returned = retire(slots, dead)
        drop(slots, void)
        val restored = restore(slots, content)
        val firstEnd = ends.values.minOfOrNull { it.endsInMillis }
        var next = LookTimes.mostNanos(content.generations.size)
        if (firstEnd != null) next = minOf(next, (firstEnd + 2) * NANOS)
        if (suspects.hints.isNotEmpty()) next = minOf(next, confirmNanos)
        next = pace.jittered(next, 1.0, 1.05).coerceAtLeast(MIN_NANOS)
        return Found(returned + restored, next, content.meta.slots < content.meta.permits)
    }

    /** Of all who try, one moves the generation on: that one pushes the hint. */
    private suspend fun retire(
        slots: PoolKeys.Slots,
        dead: Collection<Hint>,
    ): Int {
        if (dead.isEmpty()) return 0
        val batch = Batch()
        dead.forEach { batch.add(CommandType.ZADD, slots.turns, "XX", "GT", "CH", it.generation + 1, it.slot) }
        val replies = line.transact(batch)
        val won = dead.filterIndexed { index, _ -> replies.number(index) == 1L }
        if (won.isEmpty()) return 0
        val push = Batch()
        push.add(CommandType.HDEL, listOf<Any>(slots.owners) + won.map { it.text })
        push(slots, push, won.map { it.next() })
        return won.size
    }

    private suspend fun drop(
        slots: PoolKeys.Slots,
        void: List<Hint>,
    ) {
        if (void.isEmpty()) return
        line.transact(Batch().apply { add(CommandType.HDEL, listOf<Any>(slots.owners) + void.map { it.text }) })
    }

    private suspend fun restore(
        slots: PoolKeys.Slots,
        content: PoolContent,
    ): Int {
        val missing = content.generations.map { (slot, generation) -> Hint(slot, generation) }.filter {
            it !in content.owners &&
                it !in content.free
        }
        val now = pace.now()
        val known = suspects
        if (known.hints.isNotEmpty() && now - known.since < confirmNanos) return 0
        val confirmed = missing.filter { it in known.hints }
        suspects = Suspects(missing.toSet() - confirmed.toSet(), now)
        if (confirmed.isNotEmpty()) push(slots, Batch(), confirmed)
        return confirmed.size
    }

    private suspend fun push(
        slots: PoolKeys.Slots,
        batch: Batch,
        hints: List<Hint>,
    ) {
        batch.add(CommandType.RPUSH, listOf<Any>(slots.free) + hints.map { it.text })
        batch.add(CommandType.PEXPIRE, slots.free, pace.retentionMillis)
        line.transact(batch)
    }

    private companion object {
        const val MIN_NANOS = 5 * NANOS
    }
}
