package io.signalbox.internal.pool

/** Every key of a pool is built here; `docs/design/pool.md` has the table. The kind is outside, the name inside the hash tag. */
internal class PoolKeys(
    namespace: String,
    name: String,
) {
    private val prefix = "$namespace:pool:{$name}"

    val meta: ByteArray = key("meta")
    val gen: ByteArray = key("gen")
    val owners: ByteArray = key("owners")
    val free: ByteArray = key("free")
    val gate: ByteArray = key("gate")
    val init: ByteArray = key("init")

    fun lease(session: String): ByteArray = key("lease:$session")

    /** Where a client wakes its own BLPOP. */
    fun wake(client: String): ByteArray = key("wake:$client")

    /** Remembers the outcome of one addition of permits, so that it happens once. */
    fun added(operation: String): ByteArray = key("added:$operation")

    private fun key(part: String) = "$prefix:$part".toByteArray()
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
