package io.signalbox.quorum.internal.redis

import io.lettuce.core.codec.ByteArrayCodec
import io.lettuce.core.output.ValueListOutput
import io.lettuce.core.protocol.CommandArgs
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Script
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Request

private typealias Arguments = CommandArgs<ByteArray, ByteArray>

/** The script, its keys, its arguments and what it returns: the counterpart of the headers in `lua/`. */
internal class QuorumScript(
    private val namespace: String,
    private val leaseMillis: Long,
    private val longestMillis: Long,
    private val retentionMillis: Long,
    private val label: String,
    /** For a master that has no id yet. */
    private val masterId: String,
) {
    /** Every key is built here; `docs/design/quorum.md` has the table. */
    fun keys(subject: LedgerName): List<ByteArray> {
        val prefix = "$namespace:quorum$FORMAT:"
        val names = listOf("${prefix}born") + PARTS.map { "$prefix${subject.kind.tag}:{${subject.name}}:$it" }
        return names.map { it.toByteArray() }
    }

    fun Arguments.addRequest(
        known: Known,
        request: Request,
        inbox: String,
    ) {
        add(name(request)).add(longestMillis).add(retentionMillis)
        add(known.declared.toLong()).add(known.permits.toLong()).add(known.version).add(known.floor).add(masterId)
        when (request) {
            is Request.Take -> {
                add(request.bid).add(request.number).add(request.slot.toLong()).add(leaseMillis)
                add(if (request.waits) 1 else 0L).add(request.place).add(inbox).add(label.toByteArray()).add(request.recipient)
            }

            is Request.Release -> add(request.slot.toLong()).add(request.owner).add(if (request.handsOn) 1 else 0L)

            is Request.Leave -> add(request.bid).add(request.number)

            is Request.Renew -> {
                add(leaseMillis).add(label.toByteArray()).add(request.slots.size.toLong())
                for (held in request.slots) add(held.slot.toLong()).add(held.owner).add(held.fence)
            }

            Request.Resize -> Unit

            is Request.Look -> add(request.waiters.toLong())
        }
        add(END)
    }

    private fun name(request: Request) =
        when (request) {
            is Request.Take -> "take"
            is Request.Release -> "release"
            is Request.Leave -> "leave"
            is Request.Renew -> "renew"
            Request.Resize -> "resize"
            is Request.Look -> "look"
        }

    companion object {
        /** What is stored; part of the keys, so that other formats are elsewhere. */
        private const val FORMAT = "1"
        private const val END = "end"
        private val PARTS = listOf("state", "slots", "queue", "waiters")
        private const val HEAD = 8

        val script: Script =
            Script(
                listOf("common", "take", "release", "renew", "resize", "look", "run").joinToString("") { name ->
                    checkNotNull(QuorumScript::class.java.getResource("/io/signalbox/quorum/lua/$name.lua")) {
                        "Script $name.lua is missing from the jar."
                    }.readText()
                },
                toldOfFirstRun = true,
            )

        fun output(): ValueListOutput<ByteArray, ByteArray> = ValueListOutput(ByteArrayCodec.INSTANCE)

        /** Whether the server did not know the script. */
        fun isFirst(reply: List<ByteArray>): Boolean = reply.size > 6 && String(reply[6]) == "1"

        fun answer(
            request: Request,
            reply: List<ByteArray>,
        ): Answer {
            val texts = reply.map { String(it) }
            val code = Answer.Code.entries.first { it.letter == texts[0] }
            val body = if (code == Answer.Code.LONGEST) Answer.Nothing else body(request, code, texts.subList(HEAD, texts.size))
            return Answer(
                code,
                texts[1].toInt(),
                texts[2].toLong(),
                texts[3].toInt(),
                texts[4].toLong(),
                texts[5].toLong(),
                texts[7].toLong(),
                body,
            )
        }

        private fun body(
            request: Request,
            code: Answer.Code,
            rest: List<String>,
        ): Answer.Body =
            when (request) {
                is Request.Take -> {
                    if (code == Answer.Code.YES) {
                        Answer.Taken(rest[0].toInt(), rest[1].toLong(), rest[2].toInt())
                    } else {
                        Answer.Refused(rest[0].toLong(), rest.drop(2).map(String::toInt))
                    }
                }

                is Request.Release -> if (code == Answer.Code.YES) Answer.Released(rest[0] == "1") else Answer.Nothing
                is Request.Leave, Request.Resize -> Answer.Nothing
                is Request.Renew -> Answer.Renewed(rest.map { it == "1" })
                is Request.Look -> seen(rest.iterator())
            }

        private fun seen(rest: Iterator<String>): Answer.Seen {
            val id = rest.next()
            val slots = List(rest.next().toInt()) {
                Answer.Slot(
                    rest.next().toInt(),
                    rest.next(),
                    rest.next().toLong(),
                    rest.next().toLong(),
                    rest.next().toLong(),
                    rest.next(),
                )
            }
            val waiters = List(rest.next().toInt()) { Answer.Waiter(rest.next(), rest.next().toLong(), rest.next()) }
            return Answer.Seen(id, slots, waiters)
        }
    }
}
