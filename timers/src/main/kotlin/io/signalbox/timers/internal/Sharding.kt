package io.signalbox.timers.internal

import java.util.zip.CRC32

/** Which shard a timer belongs to. The hash is part of what is stored: it must never change. */
internal class Sharding(
    private val shards: Int,
    private val previous: Int?,
) {
    /** All shards that may have timers. */
    val all: IntRange = 0 until maxOf(shards, previous ?: 0)

    fun of(
        topic: String,
        id: String,
    ): Int = place(topic, id, shards)

    /** Where the timer may still be from before the number of shards was changed. */
    fun formerOf(
        topic: String,
        id: String,
    ): Int? = previous?.let { place(topic, id, it) }?.takeIf { it != of(topic, id) }

    private fun place(
        topic: String,
        id: String,
        count: Int,
    ): Int {
        if (count == 1) return 0
        val hash = CRC32()
        hash.update(topic.toByteArray())
        hash.update(0)
        hash.update(id.toByteArray())
        return (hash.value % count).toInt()
    }
}
