package io.signalbox.internal.pool

/**
 * Every key of a pool is built here; `docs/design/pool.md` has the table. The kind is outside, the name inside the hash tag.
 *
 * What a pool consists of lies under its id: whoever has not read that, and with it the format, cannot write there, and what was said to an
 * earlier pool of the name reaches nothing of this one.
 */
internal class PoolKeys(
    namespace: String,
    name: String,
) {
    private val prefix = "$namespace:pool:{$name}"

    val state: ByteArray = key("state")
    val init: ByteArray = key("init")

    /** Where a client wakes its own BLPOP. */
    fun wake(client: String): ByteArray = key("wake:$client")

    fun of(pool: String): Slots = Slots(pool)

    private fun key(part: String) = "$prefix:$part".toByteArray()

    /** The keys of the pool whose id is [pool]. */
    inner class Slots(
        val pool: String,
    ) {
        val turns: ByteArray = key("$pool:turns")
        val owners: ByteArray = key("$pool:owners")
        val free: ByteArray = key("$pool:free")
        val gate: ByteArray = key("$pool:gate")

        /** The last token, as the score of [FENCE]. */
        val fence: ByteArray = key("$pool:fence")

        fun lease(session: String): ByteArray = key("$pool:lease:$session")

        /** Remembers the outcome of one change of the count, so that it happens once. */
        fun changed(operation: String): ByteArray = key("$pool:changed:$operation")

        /** Field of `state`: how many grants there were. */
        val grants: String = "grants:$pool"
    }

    companion object {
        const val FENCE = "last"
    }
}

/** One turn of one slot: what the free list contains and `owners` has as fields. */
internal data class Hint(
    val slot: Int,
    val generation: Long,
) {
    val text: String get() = "$slot:$generation"

    fun next(): Hint = Hint(slot, generation + 1)

    companion object {
        /** `null` for what this library has not written. */
        fun parse(text: String): Hint? {
            val at = text.indexOf(':')
            val slot = if (at > 0) text.substring(0, at).toIntOrNull() else null
            val generation = text.substring(at + 1).toLongOrNull()
            return if (slot == null || generation == null) null else Hint(slot, generation)
        }
    }
}
