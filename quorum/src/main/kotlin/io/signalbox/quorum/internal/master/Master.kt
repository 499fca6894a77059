package io.signalbox.quorum.internal.master

import io.signalbox.internal.ledger.LedgerName

/** One of the independent servers. */
internal interface Master {
    /** What it is called in texts, without credentials. */
    val title: String

    /**
     * Delivers [request] once, without waiting. [done] is called at most once, from here or later on another thread, and never if the connection
     * is lost without a trace: patience is the caller's.
     */
    fun send(
        subject: LedgerName,
        known: Known,
        request: Request,
        done: (Answer?, Throwable?) -> Unit,
    )

    /** Has [recipient] hear, under [name], of slots that are handed to bids of this client. */
    fun listen(
        name: String,
        recipient: Recipient,
    )

    /** Opens what [send] needs, and waits for it as long as a connection may take; fails silently, as [send] will tell. */
    suspend fun prepare()

    /** Hears what a master hands to a bid. Must not block. */
    fun interface Recipient {
        fun onHanded(handed: Handed)
    }
}

/** That [slot] was handed to [bid], which waited under [number]. */
internal class Handed(
    val bid: String,
    val slot: Int,
    val number: Long,
    val fence: Long,
    val held: Int,
) {
    companion object {
        private const val PARTS = 5

        /** What the line [text] tells; `null` if it tells nothing: others may write there as well, or this library in another version. */
        fun read(text: String): Handed? {
            val parts = text.split(' ')
            if (parts.size != PARTS) return null
            return Handed(
                bid = parts[0],
                slot = parts[1].toIntOrNull() ?: return null,
                number = parts[2].toLongOrNull() ?: return null,
                fence = parts[3].toLongOrNull() ?: return null,
                held = parts[4].toIntOrNull() ?: return null,
            )
        }
    }
}
