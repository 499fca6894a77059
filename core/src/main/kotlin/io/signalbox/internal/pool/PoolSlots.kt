package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.internal.ledger.LedgerFailure
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Changes how many slots a pool has.
 *
 * Every change watches `state` and writes it, so changes come one after the other, and one that comes late does nothing; acquires and
 * releases change neither the count nor the number of slots, and are not in the way.
 */
internal class PoolSlots(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val pace: PoolPace,
) {
    /** The coroutines of one client take turns instead of interfering with one another. */
    private val changes = Mutex()

    /** [permits]: the count after the change, or the unchanged one if it was refused. */
    class Change(
        val permits: Int,
        val surplus: Int,
        val isAllowed: Boolean = true,
        val fits: Boolean = true,
    )

    /** Sets the count once, however often it is repeated with the same [operation]; `null` if there is no pool. */
    suspend fun resize(
        operation: String,
        permits: Int,
    ): Change? = changing { meta -> before(operation, meta) ?: count(meta, permits, operation) }

    /** Adds once, however often it is repeated with the same [operation]. */
    suspend fun add(
        operation: String,
        permits: Int,
    ): Change? =
        changing { meta ->
            before(operation, meta) ?: when {
                meta.declared.bounded -> Change(meta.permits, meta.surplus, isAllowed = false)
                meta.permits.toLong() + permits > MOST -> Change(meta.permits, meta.surplus, fits = false)
                else -> count(meta, meta.permits + permits, operation)
            }
        }

    /** [resize], and declares that count. */
    suspend fun declare(
        operation: String,
        permits: Int,
    ): Change? = changing { meta -> before(operation, meta) ?: count(meta, permits, operation, "declared") }

    /** Makes up for slots that are gone although nobody has withdrawn them. */
    suspend fun fill() {
        changing { meta -> count(meta, meta.permits) }
    }

    /**
     * Takes [claims] out of the pool [of] as far as it has too many slots, and returns the rest. They are claimed by this client, so nobody
     * else can have them: unless its lease has ended meanwhile. Then the slot has gone on to a later generation, and stays.
     */
    suspend fun withdraw(
        of: String,
        claims: List<Claim>,
    ): List<Claim> {
        var rest = claims
        changing { meta ->
            // Of another pool nothing is to be said.
            rest = if (meta.id == of) claims.drop(meta.surplus) else emptyList()
            val gone = if (meta.id == of) claims.take(meta.surplus) else emptyList()
            if (gone.isEmpty()) return@changing Change(meta.permits, 0)
            val slots = keys.of(of)
            val batch = Batch()
            for (hint in gone.map { it.hint }) {
                // Half a generation on, where no other slot can be: only if it is still this turn of the slot.
                val half = "${hint.generation}.5"
                batch.add(CommandType.ZADD, slots.turns, "XX", "GT", half, hint.slot)
                batch.add(CommandType.ZREMRANGEBYSCORE, slots.turns, half, half)
            }
            batch.add(CommandType.HDEL, listOf<Any>(slots.owners) + gone.map { it.hint.text })
            batch.add(CommandType.HSET, keys.state, "floor", maxOf(meta.floor, gone.maxOf { it.hint.generation } + 1))
            transact(batch)?.let { Change(meta.permits, meta.surplus - gone.size) }
        }
        return rest
    }

    private suspend fun PoolConnection.before(
        operation: String,
        meta: PoolMeta,
    ): Change? =
        ask(CommandType.GET, keys.of(meta.id).changed(operation)).firstOrNull()?.let {
            Change(Replies.numberOf(it)!!.toInt(), meta.surplus)
        }

    private suspend fun PoolConnection.count(
        meta: PoolMeta,
        permits: Int,
        operation: String? = null,
        also: String? = null,
    ): Change? {
        val slots = keys.of(meta.id)
        val batch = Batch()
        if (also != null) batch.add(CommandType.HSET, keys.state, also, permits)
        batch.add(CommandType.HSET, keys.state, "permits", permits)
        if (operation != null) batch.add(CommandType.SET, slots.changed(operation), permits, "PX", pace.retentionMillis)
        if (meta.slots < permits) {
            val turns = Replies(listOf(ask(CommandType.ZRANGE, slots.turns, 0, -1, "WITHSCORES"))).pairs(0)
            val taken = turns.mapTo(HashSet()) { (slot, _) -> slot }
            val new = generateSequence(0) { it + 1 }.filter { "$it" !in taken }.take(permits - meta.slots).toList()
            // Beyond any generation that a slot of that number may have had; by the clock, in case `turns` has been deleted.
            val generation = maxOf(meta.nowMicros, meta.floor, turns.maxOfOrNull { (_, score) -> Replies.numberOf(score)!! + 1 } ?: 0)
            PoolCreation.addSlots(batch, slots, new, generation, pace.retentionMillis)
            batch.add(CommandType.HSET, keys.state, "floor", generation)
        }
        // Written in any case, so that whoever watches it as well has to look again.
        batch.add(CommandType.HINCRBY, keys.state, "changes", 1)
        batch.add(CommandType.PEXPIRE, keys.state, pace.retentionMillis)
        return transact(batch)?.let { Change(permits, (meta.slots - permits).coerceAtLeast(0)) }
    }

    /** Repeats [change] until nobody interferes; `null` from it says that somebody did. */
    private suspend fun changing(change: suspend PoolConnection.(PoolMeta) -> Change?): Change? = changes.withLock { attempts(change) }

    private suspend fun attempts(change: suspend PoolConnection.(PoolMeta) -> Change?): Change? {
        repeat(ATTEMPTS) {
            var exists = true
            val done =
                line.exclusively { connection ->
                    connection.ask(CommandType.WATCH, keys.state)
                    val meta = connection.meta()
                    exists = meta != null
                    if (meta == null) null else connection.change(meta)
                }
            if (done != null || !exists) return done
        }
        throw interrupted("Others changed the pool at the same time, again and again.")
    }

    /** [PoolMeta] read while watching, so not in a transaction. */
    private suspend fun PoolConnection.meta(): PoolMeta? {
        val fields = ask(CommandType.HMGET, keys.state, *PoolMeta.FIELDS)
        val slots = keys.of(Replies.textOf(fields[1]) ?: return null)
        return PoolMeta.read(Replies(listOf(fields, ask(CommandType.TIME), ask(CommandType.ZCARD, slots.turns).first())), 0, slots)
    }

    private companion object {
        const val MOST = SemaphoreAlgorithm.Pool.MAX_PERMITS
        const val ATTEMPTS = 20
    }
}
