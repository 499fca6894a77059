package io.signalbox.quorum.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.StatusOutput
import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Announcements
import io.signalbox.internal.redis.RedisLine
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Master
import io.signalbox.quorum.internal.master.Request
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch

/** A Redis or Valkey server: a script over the client's [line] to it, what is handed on through its announcements. */
internal class RedisMaster(
    override val title: String,
    private val line: RedisLine,
    private val script: QuorumScript,
    private val scope: CoroutineScope,
    private val patienceNanos: Long,
) : Master {
    /** When the oldest request was sent that has had no answer since; [RedisLine.FIRST_DELIVERY] if there is none. */
    @Volatile
    private var silentSince = RedisLine.FIRST_DELIVERY

    override fun send(
        subject: LedgerName,
        known: Known,
        request: Request,
        done: (Answer?, Throwable?) -> Unit,
    ) {
        val inbox =
            if (request is Request.Take && request.waits) {
                line.announcements.open()
                line.announcements.inbox
            } else {
                ""
            }
        val now = System.nanoTime()
        val since = silentSince
        if (since == RedisLine.FIRST_DELIVERY) silentSince = now
        // A connection that carries no answers may be half-open: the next request goes over another one.
        val suspect = since != RedisLine.FIRST_DELIVERY && now - since > patienceNanos
        if (suspect) silentSince = now
        line.send(
            QuorumScript.script,
            script.keys(subject),
            if (suspect) since else RedisLine.FIRST_DELIVERY,
            QuorumScript::output,
            { with(script) { addRequest(known, request, inbox) } },
        ) { reply, failure ->
            silentSince = RedisLine.FIRST_DELIVERY
            if (failure != null) return@send done(null, failure.error)
            val answer =
                try {
                    RedisLine.understood(reply) { QuorumScript.answer(request, reply!!) }
                } catch (problem: LedgerFailure) {
                    return@send done(null, problem.error)
                }
            if (QuorumScript.isFirst(reply!!)) keepScript()
            done(answer, null)
        }
    }

    /**
     * Newer servers forget scripts that were only run, if many others are, and would then be taken for ones that were started anew. Those that
     * were loaded stay. Nobody waits for it; a user who may not do that has the quarantines.
     */
    private fun keepScript() {
        scope.launch {
            try {
                line.ask(CommandType.SCRIPT, { StatusOutput(ByteArrayCodec.INSTANCE) }) { add("LOAD").add(QuorumScript.script.text) }
            } catch (_: LedgerFailure) {
                return@launch
            }
        }
    }

    override fun listen(
        name: String,
        recipient: Master.Recipient,
    ) {
        line.announcements.register(
            name,
            object : Announcements.Recipient {
                override fun onLine(text: String) {
                    Handed.read(text)?.let(recipient::onHanded)
                }

                /** The next look of each bid names the new one; that is soon. */
                override fun onInboxChanged() = Unit
            },
        )
    }

    override suspend fun prepare() {
        try {
            line.ask(CommandType.PING, { StatusOutput(ByteArrayCodec.INSTANCE) }) {}
        } catch (_: LedgerFailure) {
            return
        }
    }
}
