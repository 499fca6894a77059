package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/**
 * One client's line to [ledgers]. Requests and announcements are carried by coroutines of [scope], so that they take a moment,
 * as on a network, and follow virtual time.
 */
internal class MemoryLedger(
    private val ledgers: MemoryLedgers,
    private val namespace: String,
    private val scope: CoroutineScope,
) : Ledger {
    private fun key(name: String) = "$namespace:{$name}"

    override suspend fun open(
        name: String,
        opening: Opening,
    ): Opened {
        yield()
        return ledgers.open(key(name), opening)
    }

    override fun exchange(
        name: String,
        exchange: Exchange,
        silentSince: Long,
        reply: ExchangeReply,
    ) {
        scope.launch {
            val answer = ledgers.exchange(key(name), exchange)
            yield()
            reply.complete(answer, null)
        }
    }

    override suspend fun snapshot(
        name: String,
        limit: Int,
    ): SemaphoreSnapshot? {
        yield()
        return ledgers.snapshot(key(name), name, limit)
    }

    override fun listen(
        session: String,
        listener: SessionListener,
    ) = ledgers.listen(session, listener)

    override fun forget(session: String) = ledgers.forget(session)

    override fun inbox(): String = "memory"

    override suspend fun close() = Unit
}
