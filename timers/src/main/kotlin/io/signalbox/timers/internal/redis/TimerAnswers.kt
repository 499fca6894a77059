package io.signalbox.timers.internal.redis

import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Miss
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.WriteAnswer

/** Reads what the scripts return; their headers say what that is. */
internal object TimerAnswers {
    fun written(reply: List<ByteArray>): WriteAnswer =
        when (val answer = String(reply[0])) {
            "lost" -> WriteAnswer.Lost
            "stale" -> WriteAnswer.Stale
            else -> WriteAnswer.Done(answer.map { it == '1' })
        }

    /** Pairs of inbox and line that the script left to the caller to push. */
    fun announcements(
        reply: List<ByteArray>,
        from: Int,
    ): List<List<ByteArray>> = if (reply.size > from) reply.subList(from, reply.size).chunked(2) else emptyList()

    /** The answer, and where the announcements begin. */
    fun turned(reply: List<ByteArray>): Pair<TurnAnswer, Int> {
        val words = String(reply[0]).split(' ')
        when (words[0]) {
            "lost" -> return Pair(TurnAnswer.Lost, 1)
            "stale" -> return Pair(TurnAnswer.Stale, 1)
        }
        var at = 0

        fun next() = words[at++].toLong()
        val micros = next()
        val wake = next()
        val token = next()
        val count = next().toInt()
        val ids = if (count == 0) emptyList() else String(reply[1]).split('\n')
        val claims = ArrayList<Claim>(count)
        repeat(count) { index ->
            val topic = next().toInt()
            val due = next()
            val attempt = next().toInt()
            val record = reply[2 + index]
            if (record.isNotEmpty()) claims.add(Claim(topic, ids[index], due, attempt, record))
        }
        val misses = List(next().toInt()) { Miss(next().toInt(), next() == 1L) }
        val left = List(next().toInt()) { next().toInt() }
        return Pair(TurnAnswer.Done(micros, wake, token, claims, misses, left), 2 + count)
    }

    fun stored(reply: List<ByteArray>): List<Stored> =
        reply.chunked(4).map { (id, moment, mark, record) -> stored(String(id), String(moment).toDouble().toLong(), String(mark), record) }

    private fun stored(
        id: String,
        moment: Long,
        mark: String,
        record: ByteArray,
    ): Stored {
        if (mark.isEmpty()) return Stored(id, moment, moment, 0, isClaimed = false, shelf = null, reason = "", record)
        val words = mark.split(' ', limit = 4)
        val shelf = Shelf.entries.find { it.code == words[0] }
        return Stored(
            id = id,
            due = words[2].toLong(),
            moment = moment,
            attempts = words[1].toInt(),
            isClaimed = shelf == null && words[0] != "0",
            shelf = shelf,
            reason = words.getOrElse(3) { "" },
            record = record,
        )
    }
}
