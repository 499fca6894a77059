package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.coordination.NanoClock
import kotlin.random.Random

/**
 * Returns to the pool what the dead have left: slots whose owner has no lease, and slots that nobody owns and no hint names, because
 * a client died between popping the hint and claiming, or a reply was lost.
 *
 * Run by clients that wait. A hint may also be missing because somebody is just claiming it, so it must be missing twice, a while apart; one
 * too many does no harm.
 */
internal class Reaper(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
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

    private val confirmNanos = minOf(settings.leaseMillis / 8, 1_000L) * NANOS

    fun firstLookNanos(): Long = (confirmNanos * Random.nextDouble(0.8, 1.2)).toLong()

    suspend fun look(): Found {
        val state = PoolContent.read(keys, line) ?: return Found(0, settings.leaseMillis * NANOS / 2, isShort = false)
        val owned = state.owners.keys
        val ends = state.leases(keys, line)
        val dead = state.owners.filter { (hint, owner) -> state.isCurrent(hint) && ends[owner.session] == null }.keys
        val void = owned.filter { !state.isCurrent(it) }
        val returned = retire(dead)
        drop(void)
        val restored = restore(state)
        val firstEnd = ends.values.minOfOrNull { it.endsInMillis }
        var next = settings.leaseMillis * NANOS / 2
        if (firstEnd != null) next = minOf(next, (firstEnd + 2) * NANOS)
        if (suspects.hints.isNotEmpty()) next = minOf(next, confirmNanos)
        next = (next * Random.nextDouble(1.0, 1.05)).toLong().coerceAtLeast(MIN_NANOS)
        return Found(returned + restored, next, state.meta.slots < state.meta.permits)
    }

    /** Of all who try, one moves the generation on: that one pushes the hint. */
    private suspend fun retire(dead: Collection<Hint>): Int {
        if (dead.isEmpty()) return 0
        val batch = Batch()
        dead.forEach { batch.add(CommandType.ZADD, keys.gen, "XX", "GT", "CH", it.generation + 1, it.slot) }
        val replies = line.transact(batch)
        val won = dead.filterIndexed { index, _ -> replies.number(index) == 1L }
        if (won.isEmpty()) return 0
        val push = Batch()
        push.add(CommandType.HDEL, listOf<Any>(keys.owners) + won.map { it.text })
        push(push, won.map { it.next() })
        return won.size
    }

    private suspend fun drop(void: List<Hint>) {
        if (void.isEmpty()) return
        line.transact(Batch().apply { add(CommandType.HDEL, listOf<Any>(keys.owners) + void.map { it.text }) })
    }

    private suspend fun restore(state: PoolContent): Int {
        val missing = state.generations.map { (slot, generation) -> Hint(slot, generation) }.filter {
            it !in state.owners &&
                it !in state.free
        }
        val now = clock.nanos()
        val known = suspects
        if (known.hints.isNotEmpty() && now - known.since < confirmNanos) return 0
        val confirmed = missing.filter { it in known.hints }
        suspects = Suspects(missing.toSet() - confirmed.toSet(), now)
        if (confirmed.isNotEmpty()) push(Batch(), confirmed)
        return confirmed.size
    }

    private suspend fun push(
        batch: Batch,
        hints: List<Hint>,
    ) {
        batch.add(CommandType.RPUSH, listOf<Any>(keys.free) + hints.map { it.text })
        batch.add(CommandType.PEXPIRE, keys.free, settings.poolRetentionMillis)
        line.transact(batch)
    }

    private companion object {
        const val MIN_NANOS = 5 * NANOS
    }
}
