package io.signalbox.internal.redis

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.Opened

/** Reads what the scripts return; their headers say what that is. */
internal object AnswerParser {
    fun exchanged(reply: ByteArray): Answer {
        if (reply.isNotEmpty() && (reply[0] in DIGITS || reply[0] == MINUS)) return done(Numbers(reply))
        val words = String(reply).split(' ')
        return when (words[0]) {
            "lost" -> Answer.Lost(words[1])
            "gap" -> Answer.Gap(words[1].toLong())
            "stale" -> Answer.Stale
            else -> throw IllegalStateException("The script answered with something unknown: ${words[0].take(20)}")
        }
    }

    private fun done(numbers: Numbers): Answer.Done =
        Answer.Done(
            now = numbers.next(),
            permits = numbers.int(),
            held = numbers.int(),
            queued = numbers.int(),
            next = numbers.next(),
            more = numbers.next() == 1L,
            open = numbers.next() == 1L,
            queues = numbers.next(),
            firstToken = numbers.next(),
            heldBefore = numbers.int(),
            firstTicket = numbers.next(),
            granted = numbers.list { int() },
            grants = numbers.list { Grant(sequence = next(), token = next(), count = int(), holders = int(), grantedAt = next()) },
            released = numbers.list { next() == 1L },
            left = numbers.list { int() },
            results = numbers.list { int() },
        )

    fun opened(reply: List<ByteArray>): Opened {
        val words = reply.map { String(it) }
        return when (words[0]) {
            "notfound" -> Opened.NotFound

            "mismatch" -> Opened.Mismatch(declared(words[1], words[2]))

            else ->
                Opened.Joined(
                    epoch = words[1],
                    now = words[2].toLong(),
                    permits = words[3].toInt(),
                    declared = declared(words[4], words[5]),
                    reasserted = words.drop(6).mapTo(HashSet()) { it.toLong() },
                )
        }
    }

    private fun declared(
        permits: String,
        bounded: String,
    ) = Declared(permits.toInt(), bounded == "1")

    /** `sequence token count holders grantedAt`, as announced to a session; anything else is ignored. */
    fun announcement(text: String): Grant? {
        val numbers = text.split(' ').map { it.toLongOrNull() ?: return null }
        if (numbers.size != 5 || numbers[2] !in 1..MAX_RUN) return null
        return Grant(numbers[0], numbers[1], numbers[2].toInt(), numbers[3].toInt(), numbers[4])
    }

    /** Integers separated by single blanks. */
    private class Numbers(
        private val bytes: ByteArray,
    ) {
        private var at = 0

        fun int(): Int = next().toInt()

        fun next(): Long {
            val negative = bytes[at] == MINUS
            if (negative) at++
            var value = 0L
            while (at < bytes.size && bytes[at] != BLANK) value = value * 10 + (bytes[at++] - ZERO)
            at++
            return if (negative) -value else value
        }

        fun <T> list(entry: Numbers.() -> T): List<T> {
            val size = int()
            return if (size == 0) emptyList() else List(size) { entry() }
        }
    }

    /** More than any exchange asks for. */
    private const val MAX_RUN = 100_000L

    private const val MINUS = '-'.code.toByte()
    private const val BLANK = ' '.code.toByte()
    private const val ZERO = '0'.code.toByte()
    private val DIGITS = ZERO..'9'.code.toByte()
}
