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
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.yield

/**
 * One client's line to [ledgers]. An exchange is executed at once and answered by a coroutine of [scope], so that an answer takes a moment, as
 * on a connection, and follows virtual time. What is asked before the answers of others have come has them delivered first: then what one
 * client has given back is there for the next call of any other. Once [scope] has ended nothing arrives any more, as after a crash.
 */
internal class MemoryLedger(
    private val ledgers: MemoryLedgers,
    private val namespace: String,
    private val scope: CoroutineScope,
) : Ledger {
    private val bell = Channel<Unit>(Channel.CONFLATED)

    init {
        scope.launch { for (answers in bell) ledgers.deliverAnswers() }
    }

    private fun key(name: LedgerName) = "$namespace:${name.kind.tag}:{${name.name}}"

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened {
        yield()
        ledgers.deliverAnswers()
        return ledgers.open(key(name), opening)
    }

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        if (!scope.isActive) return
        ledgers.deliverAnswers()
        val answer = exchange()?.let { ledgers.exchange(key(name), it) }
        ledgers.answerLater { if (scope.isActive) reply.complete(answer, null) }
        bell.trySend(Unit)
    }

    override suspend fun snapshot(
        name: LedgerName,
        limit: Int,
    ): SemaphoreSnapshot? {
        yield()
        ledgers.deliverAnswers()
        return ledgers.snapshot(key(name), name.name, limit)
    }

    override suspend fun delete(
        name: LedgerName,
        epoch: String,
        by: String,
    ): Boolean {
        yield()
        ledgers.deliverAnswers()
        return ledgers.delete(key(name), epoch, by)
    }

    override suspend fun keep(names: List<LedgerName>): Boolean {
        yield()
        names.forEach { ledgers.keep(key(it)) }
        return false
    }

    override val isOver: Boolean get() = !scope.isActive

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

    override suspend fun ping() = yield()

    override fun isReachable(name: LedgerName): Boolean = true

    override fun inbox(): String = "memory"

    override suspend fun close() = Unit
}
