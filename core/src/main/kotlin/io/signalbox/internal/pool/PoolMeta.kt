package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.UnknownFormatException
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.LedgerFailure

/** What the key `state` says, read together with the server's clock and, if the pool is known, the number of slots. */
internal class PoolMeta(
    val id: String,
    val permits: Int,
    val declared: Declared,
    /** Nothing is granted before this moment, in server milliseconds; 0 without a quarantine. */
    val openAt: Long,
    /** The longest lease that a client may have; 0 for any. */
    val longest: Long,
    /** No slot that is gone was ever of this generation or a later one. */
    val floor: Long,
    /** Slots there are; more than [permits] until a surplus is withdrawn. */
    val slots: Int,
    val nowMicros: Long,
) {
    val surplus: Int get() = (slots - permits).coerceAtLeast(0)

    companion object {
        /** What this build reads and writes. */
        const val FORMAT = 1

        val FIELDS: Array<Any> = arrayOf("format", "id", "permits", "declared", "bounded", "openAt", "floor", "longest")

        /** Adds what [read] needs; returns the index of the first reply. */
        fun ask(
            batch: Batch,
            keys: PoolKeys,
            slots: PoolKeys.Slots?,
        ): Int {
            val at = batch.add(CommandType.HMGET, keys.state, *FIELDS)
            batch.add(CommandType.TIME)
            if (slots != null) batch.add(CommandType.ZCARD, slots.turns)
            return at
        }

        /** `null` if there is no pool, or another one than [slots] is of. */
        fun read(
            replies: Replies,
            at: Int,
            slots: PoolKeys.Slots?,
        ): PoolMeta? {
            val fields = replies.texts(at)
            check(fields.size == FIELDS.size) { "${fields.size} fields instead of ${FIELDS.size}" }
            val id = fields[1] ?: return null
            if (slots != null && id != slots.pool) return null
            if (fields[0] != "$FORMAT") throw unknownFormat(fields[0])
            return PoolMeta(
                id = id,
                permits = fields[2]!!.toInt(),
                declared = Declared(fields[3]!!.toInt(), fields[4] == "1"),
                openAt = fields[5]!!.toLong(),
                floor = fields[6]!!.toLong(),
                longest = fields[7]?.toLong() ?: 0,
                slots = if (slots == null) 0 else replies.number(at + 2)!!.toInt(),
                nowMicros = micros(replies, at + 1),
            )
        }

        fun micros(
            replies: Replies,
            at: Int,
        ): Long = replies.texts(at).let { it[0]!!.toLong() * 1_000_000 + it[1]!!.toLong() }

        private fun unknownFormat(found: String?) =
            LedgerFailure(
                UnknownFormatException.of("The pool", "$FORMAT", found.toString()),
                executed = false,
                final = true,
            )
    }
}
