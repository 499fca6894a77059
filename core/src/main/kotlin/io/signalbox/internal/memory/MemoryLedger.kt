package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import kotlinx.coroutines.yield

/**
 * One client's line to [ledgers]. An exchange is executed and answered before its sender goes on, so what one client gives back is there
 * for the next call of any other.
 */
internal class MemoryLedger(
    private val ledgers: MemoryLedgers,
    private val namespace: String,
) : Ledger {

    private fun key(name: LedgerName) = "$namespace:${name.kind.tag}:{${name.name}}"

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened {
        yield()
        return ledgers.open(key(name), opening)
    }

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        reply.complete(exchange()?.let { ledgers.exchange(key(name), it) }, null)
    }

    override suspend fun snapshot(
        name: LedgerName,
        limit: Int,
    ): SemaphoreSnapshot? {
        yield()
        return ledgers.snapshot(key(name), name.name, limit)
    }

    /** What exists is listed. */
    override fun enlist(name: LedgerName) = Unit

    override suspend fun names(kind: Kind): List<String> {
        yield()
        return ledgers.keys().filter { it.startsWith("$namespace:${kind.tag}:{") }.map { it.substringAfter('{').dropLast(1) }
    }

    override fun listen(
        session: String,
        listener: SessionListener,
    ) = ledgers.listen(session, listener)

    override fun forget(session: String) = ledgers.forget(session)

    override fun inbox(): String = "memory"

    override suspend fun close() = Unit
}
