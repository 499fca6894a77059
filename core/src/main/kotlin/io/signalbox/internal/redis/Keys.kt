package io.signalbox.internal.redis

import io.signalbox.internal.ledger.FORMAT
import io.signalbox.internal.ledger.LedgerName

/** Every key of this library is built here; `docs/design/protocol.md` has the table. */
internal class Keys(
    private val namespace: String,
) {
    /**
     * The keys of one ledger, in the order of `KEYS` in the scripts. The kind is outside, the name inside the hash tag; the format is
     * part of them, because the scripts of the first one did not look whether there is another.
     */
    fun of(ledger: LedgerName): List<ByteArray> =
        PARTS.map { "$namespace:${ledger.kind.tag}:{${ledger.name}}:$FORMAT:$it".toByteArray() }

    /** Where announcements for one connection of one client arrive. A new [epoch] each time, so that no half-open predecessor steals them. */
    fun inbox(
        client: String,
        epoch: Long,
    ): String = "$namespace:inbox:{$client:$epoch}"

    /** Written only so that something was, in the slot of everything of that [name]. */
    fun barrier(name: String): ByteArray = "$namespace:barrier:{$name}".toByteArray()

    /** The names in use. */
    val index: String get() = "$namespace:names"

    private companion object {
        val PARTS = listOf("state", "listed", "limits", "signals", "queue", "sessions")
    }
}
