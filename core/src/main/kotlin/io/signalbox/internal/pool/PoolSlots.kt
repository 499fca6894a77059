package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.ledger.LedgerFailure

/**
 * Changes how many slots a pool has.
 *
 * Every change watches `meta` and writes it, so changes come one after the other; acquires and releases change neither `meta`'s permits nor
 * the number of slots, and are not in the way.
 */
internal class PoolSlots(
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val settings: CoordinationSettings,
) {
    /** [permits]: the count after the change, or the unchanged one if it was refused. */
    class Change(
        val permits: Int,
        val surplus: Int,
        val isAllowed: Boolean = true,
        val fits: Boolean = true,
    )

    /** `null` if there is no pool. */
    suspend fun resize(permits: Int): Change? = changing { connection, meta -> connection.count(meta, permits) }

    /** Adds once, however often it is repeated with the same [operation]. */
    suspend fun add(
        operation: String,
        permits: Int,
    ): Change? =
        changing { connection, meta ->
            val before = connection.ask(CommandType.GET, keys.added(operation)).firstOrNull()
            when {
                before != null -> Change(Replies.numberOf(before)!!.toInt(), meta.surplus)
                meta.declared.bounded -> Change(meta.permits, meta.surplus, isAllowed = false)
                meta.permits.toLong() + permits > MOST -> Change(meta.permits, meta.surplus, fits = false)
                else -> connection.count(meta, meta.permits + permits, operation)
            }
        }

    /** Makes up for slots that are gone although nobody has withdrawn them. */
    suspend fun fill() {
        changing { connection, meta -> connection.count(meta, meta.permits) }
    }

    /**
     * Takes [claims] out of the pool as far as it has too many slots, and returns the rest. They are claimed by this client, so nobody
     * else can.
     */
    suspend fun withdraw(claims: List<Claim>): List<Claim> {
        var rest = claims
        changing { connection, meta ->
            rest = claims.drop(meta.surplus)
            val gone = claims.take(meta.surplus)
            if (gone.isEmpty()) return@changing Change(meta.permits, 0)
            val batch = Batch()
            batch.add(CommandType.ZREM, listOf<Any>(keys.gen) + gone.map { it.hint.slot })
            batch.add(CommandType.HDEL, listOf<Any>(keys.owners) + gone.map { it.hint.text })
            batch.add(CommandType.HINCRBY, keys.meta, "changes", 1)
            connection.transact(batch)?.let { Change(meta.permits, meta.surplus - gone.size) }
        }
        return rest
    }

    private suspend fun PoolConnection.count(
        meta: PoolMeta,
        permits: Int,
        operation: String? = null,
    ): Change? {
        val batch = Batch()
        batch.add(CommandType.HSET, keys.meta, "permits", permits)
        batch.add(CommandType.HINCRBY, keys.meta, "changes", 1)
        if (operation != null) batch.add(CommandType.SET, keys.added(operation), permits, "PX", settings.poolRetentionMillis)
        if (meta.slots < permits) {
            val taken = ask(CommandType.ZRANGE, keys.gen, 0, -1).mapTo(HashSet()) { Replies.textOf(it) }
            val new = generateSequence(0) { it + 1 }.filter { "$it" !in taken }.take(permits - meta.slots).toList()
            // A slot of that number may have been before: the clock is ahead of any generation it has had.
            PoolCreation.addSlots(batch, keys, new, micros(), settings.poolRetentionMillis)
        }
        batch.add(CommandType.PEXPIRE, keys.meta, settings.poolRetentionMillis)
        return transact(batch)?.let { Change(permits, (meta.slots - permits).coerceAtLeast(0)) }
    }

    /** Repeats [change] until nobody interferes; `null` from it says that somebody did. */
    private suspend fun changing(change: suspend (PoolConnection, PoolMeta) -> Change?): Change? {
        repeat(ATTEMPTS) {
            var exists = true
            val done =
                line.exclusively { connection ->
                    connection.ask(CommandType.WATCH, keys.meta)
                    val meta = connection.meta()
                    exists = meta != null
                    if (meta == null) null else change(connection, meta)
                }
            if (done != null || !exists) return done
        }
        throw LedgerFailure(IllegalStateException("Others changed the pool at the same time, again and again."), false, final = false)
    }

    /** [PoolMeta] read while watching, so not in a transaction. */
    private suspend fun PoolConnection.meta(): PoolMeta? {
        val fields = ask(CommandType.HMGET, keys.meta, "id", "permits", "declared", "bounded", "openAt")
        val slots = ask(CommandType.ZCARD, keys.gen)
        return PoolMeta.read(Replies(listOf(fields, slots.first(), ask(CommandType.TIME))), 0)
    }

    private companion object {
        const val MOST = SemaphoreAlgorithm.Pool.MAX_PERMITS
        const val ATTEMPTS = 20
    }
}
