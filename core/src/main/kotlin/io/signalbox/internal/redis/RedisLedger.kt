package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.ValueListOutput
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import io.signalbox.internal.redis.ScriptArgs.addExchange
import io.signalbox.internal.redis.ScriptArgs.addOpening
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.CoroutineScope

/** The ledgers of a Redis or Valkey server: scripts over the client's [line], grants through its announcements. */
internal class RedisLedger(
    private val line: RedisLine,
    private val scripts: Scripts,
    private val keys: Keys,
    private val announceInScript: Boolean,
    private val retentionMillis: Long,
    indexMillis: Long,
    scope: CoroutineScope,
) : Ledger {
    private val index = NameIndex(line, scope, keys.index, indexMillis)
    private val ledgerKeys = ConcurrentHashMap<LedgerName, List<ByteArray>>()

    private fun keysOf(name: LedgerName): List<ByteArray> = ledgerKeys[name] ?: ledgerKeys.computeIfAbsent(name, keys::of)

    override fun inbox(): String = line.announcements.inbox

    override fun listen(
        session: String,
        listener: SessionListener,
    ) {
        line.announcements.register(
            session,
            object : Announcements.Recipient {
                override fun onLine(text: String) {
                    AnswerParser.announcement(text)?.let(listener::onAnnouncement)
                }

                override fun onInboxChanged() = listener.onInboxChanged()
            },
        )
    }

    override fun forget(session: String) = line.announcements.forget(session)

    override suspend fun open(
        name: LedgerName,
        opening: Opening,
    ): Opened =
        AnswerParser.opened(line.ask(scripts.open, keysOf(name), { ValueListOutput(ByteArrayCodec.INSTANCE) }) { addOpening(opening) })

    override suspend fun snapshot(
        name: LedgerName,
        limit: Int,
    ): SemaphoreSnapshot? =
        SnapshotParser.parse(
            name.name,
            line.ask(scripts.snapshot, keysOf(name), { ArrayOutput(ByteArrayCodec.INSTANCE) }) { add(limit.toLong()) },
            limit,
        )

    override fun enlist(name: LedgerName) = index.add(name)

    override suspend fun names(kind: Kind): List<String> = index.names(kind)

    override fun exchange(
        name: LedgerName,
        silentSince: Long,
        exchange: () -> Exchange?,
        reply: ExchangeReply,
    ) {
        var sent: Exchange? = null
        line.sendLate(scripts.exchange, keysOf(name), silentSince, { ValueListOutput(ByteArrayCodec.INSTANCE) }, {
            exchange()?.let { composed ->
                sent = composed
                { addExchange(composed, announceInScript, retentionMillis) }
            }
        }) { lines, failure ->
            if (lines == null) {
                reply.complete(null, failure)
            } else {
                answered(sent!!, lines, reply)
            }
        }
    }

    private fun answered(
        exchange: Exchange,
        lines: List<ByteArray>,
        reply: ExchangeReply,
    ) {
        val answer =
            try {
                AnswerParser.exchanged(lines.firstOrNull() ?: ByteArray(0), exchange)
            } catch (unlike: LedgerFailure) {
                return reply.complete(null, unlike)
            }
        // Somebody waits, in the queue or with the turn: what becomes of it is announced.
        if (answer is Answer.Done && answer.next >= 0) line.announcements.open()
        if (lines.size > 1) announce(lines)
        reply.complete(answer, null)
    }

    /** The announcements that the script left to the caller: pairs of inbox and line behind the answer. */
    private fun announce(lines: List<ByteArray>) {
        lines.drop(1).chunked(2).groupBy({ String(it[0]) }, { it[1] }).forEach { (inbox, announcements) ->
            val arguments: Arguments.() -> Unit = {
                add(retentionMillis)
                announcements.forEach { add(it) }
            }
            val key = listOf(inbox.toByteArray())
            // Nobody waits for the outcome: a lost announcement is found in the next answer.
            line.send(scripts.announce, key, RedisLine.FIRST_DELIVERY, { IntegerOutput(ByteArrayCodec.INSTANCE) }, arguments) { _, _ -> }
        }
    }

    override suspend fun close() = line.close()
}
