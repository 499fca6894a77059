package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/**
 * One client's line to [ledgers]. Exchanges are carried one after the other by a coroutine of [scope], so that they take a moment and
 * keep their order, as on a connection, and follow virtual time.
 */
internal class MemoryLedger(
    private val ledgers: MemoryLedgers,
    private val namespace: String,
    scope: CoroutineScope,
    /** Semaphores of one name and different kinds are different. */
    private val kind: String = "",
) : Ledger {
    private val line = Channel<() -> Unit>(Channel.UNLIMITED)

    init {
        scope.launch { for (delivery in line) delivery() }
    }

    private fun key(name: String) = "$namespace:{$name}$kind"

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
        line.trySend { reply.complete(ledgers.exchange(key(name), exchange), null) }
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
