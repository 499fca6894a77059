package io.signalbox.internal.coordination

import io.signalbox.internal.ClosesWithClient
import io.signalbox.internal.ledger.LedgerName

/** One client's side of one semaphore, as its client manages it. Closing it fails what waits and gives back what is held. */
internal interface Coordinator : ClosesWithClient {
    val subject: LedgerName

    /** What users know it by: there as long as this is, and this as long as somebody has that. */
    var handle: Any?

    /** Suspends until it has joined, if it was to do so with its first use. */
    suspend fun awaitJoined()

    /** Names the count for a handle, and suspends until it has joined; it may have been attached. */
    suspend fun declare(wanted: HandleSettings)

    /** That it was declared as [wanted], as far as is known. */
    fun requireDeclared(wanted: HandleSettings)

    /** How many permits this client holds, and how many of its acquires have not ended. */
    fun usage(): Usage

    class Usage(
        val held: Int,
        val waiting: Int,
    )
}
