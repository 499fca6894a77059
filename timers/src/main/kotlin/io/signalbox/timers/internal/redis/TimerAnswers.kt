package io.signalbox.timers.internal.redis

import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Miss
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.Stored
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.WriteAnswer
import io.signalbox.timers.internal.ledger.foreignFormat

/** Reads what the scripts return; their headers say what that is. */
internal object TimerAnswers {
    fun written(reply: List<ByteArray>): WriteAnswer =
        when (val answer = String(reply[0].also(::requireFormat))) {
            "lost" -> WriteAnswer.Lost
            "stale" -> WriteAnswer.Stale
            else -> answer.split(' ').let { WriteAnswer.Done(it[0].map { one -> one == '1' }, it.drop(1).map(String::toInt)) }
        }

    private fun requireFormat(answer: ByteArray) {
        if (answer.size > FOREIGN.size && FOREIGN.indices.all { answer[it] == FOREIGN[it] }) {
            throw foreignFormat(String(answer, FOREIGN.size, answer.size - FOREIGN.size), TimerKeys.FORMAT)
        }
    }

    /** Pairs of inbox and line that the script left to the caller to push. */
    fun announcements(
        reply: List<ByteArray>,
        from: Int,
    ): List<List<ByteArray>> = if (reply.size > from) reply.subList(from, reply.size).chunked(2).filter { it.size == 2 } else emptyList()

    /** The answer, and where the announcements begin. */
    fun turned(reply: List<ByteArray>): Pair<TurnAnswer, Int> {
        val answer = reply[0]
        requireFormat(answer)
        when {
            answer.contentEquals(LOST) -> return Pair(TurnAnswer.Lost, 1)
            answer.contentEquals(STALE) -> return Pair(TurnAnswer.Stale, 1)
        }
        val numbers = Numbers(answer)
        val micros = numbers.next()
        val wake = numbers.next()
        val token = numbers.next()
        val count = numbers.next().toInt()
        val ids = if (count == 0) emptyList() else String(reply[1]).split('\n')
        val claims = ArrayList<Claim>(count)
        repeat(count) { index ->
            val topic = numbers.next().toInt()
            val due = numbers.next()
            val attempt = numbers.next().toInt()
            val record = reply[2 + index]
            if (record.isNotEmpty()) claims.add(Claim(topic, ids[index], due, attempt, record))
        }
        val misses = List(numbers.next().toInt()) { Miss(numbers.next().toInt(), numbers.next() == 1L) }
        val left = List(numbers.next().toInt()) { numbers.next().toInt() }
        return Pair(TurnAnswer.Done(micros, wake, token, claims, misses, left, dropped = numbers.next().toInt()), 2 + count)
    }

    private val FOREIGN = "format ".toByteArray()
    private val LOST = "lost".toByteArray()
    private val STALE = "stale".toByteArray()

    /** Numbers separated by blanks, read without making a string of each. */
    private class Numbers(
        private val text: ByteArray,
    ) {
        private var at = 0

        fun next(): Long {
            var number = 0L
            val begin = at
            while (at < text.size && text[at] != BLANK) {
                val digit = text[at++] - ZERO
                check(digit in 0..9) { "The script's answer cannot be read: ${String(text)}" }
                number = number * 10 + digit
            }
            check(at > begin) { "The script's answer ends too soon: ${String(text)}" }
            at++
            return number
        }

        private companion object {
            const val BLANK = ' '.code.toByte()
            const val ZERO = '0'.code.toByte()
        }
    }

    fun stored(reply: List<ByteArray>): List<Stored> {
        reply.firstOrNull()?.takeIf { reply.size == 1 }?.let(::requireFormat)
        return reply.chunked(4).map { (id, moment, mark, record) ->
            stored(String(id), String(moment).toDouble().toLong(), String(mark), record)
        }
    }

    private fun stored(
        id: String,
        moment: Long,
        mark: String,
        record: ByteArray,
    ): Stored {
        if (mark.isEmpty()) return Stored(id, Scores.millis(moment), moment, 0, isClaimed = false, shelf = null, reason = "", record)
        val words = mark.split(' ', limit = 4)
        val shelf = Shelf.entries.find { it.code == words[0] }
        return Stored(
            id = id,
            due = Scores.millis(words[2].toLong()),
            moment = moment,
            attempts = words[1].toInt(),
            isClaimed = shelf == null && words[0] != "0",
            shelf = shelf,
            reason = words.getOrElse(3) { "" },
            record = record,
        )
    }
}
