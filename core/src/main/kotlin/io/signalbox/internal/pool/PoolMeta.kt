package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.ledger.Declared

/** What the key `meta` says, read together with the server's clock and the number of slots. */
internal class PoolMeta(
    val id: String,
    val permits: Int,
    val declared: Declared,
    /** Nothing is granted before this moment, in server milliseconds; 0 without a quarantine. */
    val openAt: Long,
    /** Slots there are; more than [permits] until a surplus is withdrawn. */
    val slots: Int,
    val nowMicros: Long,
) {
    val surplus: Int get() = (slots - permits).coerceAtLeast(0)

    companion object {
        /** Adds what [read] needs; returns the index of the first reply. */
        fun ask(
            batch: Batch,
            keys: PoolKeys,
        ): Int {
            val at = batch.add(CommandType.HMGET, keys.meta, "id", "permits", "declared", "bounded", "openAt")
            batch.add(CommandType.ZCARD, keys.gen)
            batch.add(CommandType.TIME)
            return at
        }

        /** `null` if there is no pool. */
        fun read(
            replies: Replies,
            at: Int,
        ): PoolMeta? {
            val fields = replies.texts(at)
            val id = fields[0] ?: return null
            val declared = Declared(fields[2]!!.toInt(), fields[3] == "1")
            return PoolMeta(
                id,
                fields[1]!!.toInt(),
                declared,
                fields[4]!!.toLong(),
                replies.number(at + 1)!!.toInt(),
                micros(
                    replies,
                    at + 2,
                ),
            )
        }

        fun micros(
            replies: Replies,
            at: Int,
        ): Long = replies.texts(at).let { it[0]!!.toLong() * 1_000_000 + it[1]!!.toLong() }
    }
}
