package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType

/** All of a pool at one instant of the server. */
internal class PoolContent(
    val meta: PoolMeta,
    val grants: Long,
    /** Slot to generation. */
    val generations: Map<Int, Long>,
    val owners: Map<Hint, Owner>,
    val free: Set<Hint>,
    private val slots: PoolKeys.Slots,
) {
    /** What is left of a lease, and what its client calls itself. */
    class Lease(
        val endsInMillis: Long,
        val label: String,
    )

    fun isCurrent(hint: Hint): Boolean = generations[hint.slot] == hint.generation

    /** The leases of the owners that still have one, by session, read after the rest: whose is missing here was over, or is. */
    suspend fun leases(line: PoolLine): Map<String, Lease> {
        val sessions = owners.values.mapTo(LinkedHashSet()) { it.session }.toList()
        if (sessions.isEmpty()) return emptyMap()
        val batch = Batch()
        sessions.forEach { batch.add(CommandType.PTTL, slots.lease(it)) }
        batch.add(CommandType.MGET, sessions.map { slots.lease(it) })
        val replies = line.transact(batch)
        val labels = replies.texts(sessions.size)
        return buildMap {
            sessions.forEachIndexed { index, session ->
                labels[index]?.let { put(session, Lease(replies.number(index)!!.coerceAtLeast(0), it)) }
            }
        }
    }

    companion object {
        /** `null` if there is no pool. */
        suspend fun read(
            keys: PoolKeys,
            line: PoolLine,
        ): PoolContent? {
            val look = Batch()
            val first = PoolMeta.ask(look, keys, slots = null)
            val found = PoolMeta.read(line.transact(look), first, slots = null) ?: return null
            return read(keys, keys.of(found.id), line)
        }

        /** `null` if that pool is gone. */
        suspend fun read(
            keys: PoolKeys,
            slots: PoolKeys.Slots,
            line: PoolLine,
        ): PoolContent? {
            val batch = Batch()
            val at = PoolMeta.ask(batch, keys, slots)
            val grants = batch.add(CommandType.HGET, keys.state, slots.grants)
            val turns = batch.add(CommandType.ZRANGE, slots.turns, 0, -1, "WITHSCORES")
            val owners = batch.add(CommandType.HGETALL, slots.owners)
            val free = batch.add(CommandType.LRANGE, slots.free, 0, -1)
            val replies = line.transact(batch)
            val meta = PoolMeta.read(replies, at, slots) ?: return null
            return PoolContent(
                meta = meta,
                grants = replies.number(grants) ?: 0,
                generations = replies.pairs(turns).associate { (slot, generation) -> slot.toInt() to Replies.numberOf(generation)!! },
                owners = replies.pairs(owners).mapNotNull { (field, owner) ->
                    Hint.parse(field)?.to(Owner(Replies.textOf(owner)!!))
                }.toMap(),
                free = replies.texts(free).mapNotNullTo(HashSet()) { Hint.parse(it ?: "") },
                slots = slots,
            )
        }
    }
}
