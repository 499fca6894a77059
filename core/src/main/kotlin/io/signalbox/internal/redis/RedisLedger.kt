package io.signalbox.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ArrayOutput
import io.lettuce.core.output.IntegerOutput
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandType
import io.signalbox.ScriptNotPermittedException
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ExchangeReply
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.Labels
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import io.signalbox.internal.redis.ScriptArgs.addExchange
import io.signalbox.internal.redis.ScriptArgs.addOpening
import io.signalbox.internal.warnSafely
import kotlinx.coroutines.CoroutineScope
import org.slf4j.Logger
import org.slf4j.LoggerFactory

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

    private fun keysOf(name: LedgerName): List<ByteArray> = name.keys ?: keys.of(name).also { name.keys = it }

    override suspend fun prepare() = line.prepare()

    override fun isReachable(name: LedgerName): Boolean = line.isConnected(keysOf(name).first())

    override suspend fun ping() {
        try {
            line.ask(CommandType.PING, { StatusOutput(ByteArrayCodec.INSTANCE) }) {}
        } catch (failure: LedgerFailure) {
            // A user without the right to ask has been answered all the same.
            if (failure.error !is ScriptNotPermittedException) throw failure
        }
    }

    override fun inbox(): String = line.announcements.inbox

    override fun listen(
        session: String,
        listener: SessionListener,
    ) {
        line.announcements.register(
            session,
            object : Announcements.Recipient {
                override fun onLine(text: String) {
                    if (AnswerParser.isSummons(
                            text,
                        )
                    ) {
                        listener.onSummons()
                    } else {
                        AnswerParser.announcement(text)?.let(listener::onAnnouncement)
                    }
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

    override suspend fun delete(
        name: LedgerName,
        epoch: String,
        by: String,
    ): Boolean {
        val reply =
            line.ask(scripts.delete, keysOf(name), { ValueListOutput(ByteArrayCodec.INSTANCE) }) {
                add(epoch).add(Labels.encoded(by)).add(if (announceInScript) 1L else 0L)
            }
        return RedisLine.understood(reply.firstOrNull()) {
            val words = reply.map { String(it) }
            if (words[0] == "format") throw RedisErrors.unreadable(words[1])
            if (reply.size > 1) announce(reply)
            words[0] == "1"
        }
    }

    override suspend fun keep(names: List<LedgerName>): Boolean {
        if (line.isCluster) return keepOneByOne(names)
        if (index.isRefused) return names.isNotEmpty() && keep(names, listed = false)
        try {
            return keep(names, listed = true)
        } catch (failure: LedgerFailure) {
            // A user without rights on the list can do without it, but not without the keys.
            if (failure.error !is ScriptNotPermittedException) throw failure
            index.isRefused = true
            return keep(names)
        }
    }

    /** Each has a slot of its own, and so has the list of names. */
    private suspend fun keepOneByOne(names: List<LedgerName>): Boolean {
        names.forEach { keep(listOf(it), listed = false) }
        if (index.isRefused) return false
        try {
            index.keep(names)
        } catch (failure: LedgerFailure) {
            if (failure.error !is ScriptNotPermittedException) throw failure
            index.isRefused = true
        }
        return false
    }

    private suspend fun keep(
        names: List<LedgerName>,
        listed: Boolean,
    ): Boolean {
        val own = names.flatMap(::keysOf)
        return line.ask(scripts.keep, listOf(if (listed) index.key else own.first()) + own, { IntegerOutput(ByteArrayCodec.INSTANCE) }) {
            add(index.lifeMillis)
            if (listed) add(index.expiry()).add(index.oldest()) else add("").add("")
            names.forEach { add(NameIndex.member(it).toByteArray()) }
        } > 0
    }

    override val isOver: Boolean get() = line.isOver

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
        try {
            // Somebody waits, in the queue or with the turn: what becomes of it is announced.
            if (answer is Answer.Done && answer.next >= 0) line.announcements.open()
            if (lines.size > 1) announce(lines)
        } catch (problem: Throwable) {
            // Hints: the answer counts without them.
            log.warnSafely("Announcements could not be passed on", problem)
        }
        reply.complete(answer, null)
    }

    /** The announcements that the script left to the caller: pairs of inbox and line behind the answer. */
    private fun announce(lines: List<ByteArray>) {
        lines.drop(1).chunked(2).filter { it.size == 2 }.groupBy({ String(it[0]) }, { it[1] }).forEach { (inbox, announcements) ->
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

    private companion object {
        val log: Logger = LoggerFactory.getLogger(RedisLedger::class.java)
    }
}
