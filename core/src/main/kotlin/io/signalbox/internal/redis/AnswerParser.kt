package io.signalbox.internal.redis

import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Labels
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.SessionRecord

/** Reads what the scripts return; their headers say what that is. */
internal object AnswerParser {
    /** What [reply] says of [exchange]. */
    fun exchanged(
        reply: ByteArray,
        exchange: Exchange,
    ): Answer =
        RedisLine.understood(reply) {
            when {
                reply.isEmpty() -> unknown("")
                reply[0] == EQUALS -> asExpected(Numbers(reply, from = 2), exchange)
                reply[0] in DIGITS -> done(Numbers(reply))
                else -> word(String(reply).split(' '))
            }
        }

    private fun word(words: List<String>): Answer =
        when (words[0]) {
            "lost" ->
                when (words[1]) {
                    "data" -> Answer.Lost(Answer.Reason.DATA_LOST)
                    "deleted" -> Answer.Lost(Answer.Reason.DELETED, Labels.decoded(words.drop(3).map { it.toLong() }))
                    else -> Answer.Lost(Answer.Reason.LAPSED)
                }

            "gap" -> Answer.Gap(words[1].toLong())
            "stale" -> Answer.Stale
            "contradiction" -> Answer.Contradiction
            "format" -> Answer.Unreadable(words[1])
            else -> unknown(words[0])
        }

    private fun asExpected(
        numbers: Numbers,
        exchange: Exchange,
    ): Answer.Done {
        val expected = checkNotNull(exchange.expected) { "an expectation that was not sent" }
        val now = numbers.next()
        val held = numbers.int()
        val acquires = expected.acquires
        return Answer.Done(
            now = now,
            permits = expected.permits,
            held = held,
            heldAfterGift = held,
            queued = 0,
            next = -1,
            more = false,
            open = true,
            queues = Answer.SAME,
            record = expected.after,
            calm = true,
            granted = exchange.acquires.map { it.count },
            firstToken = numbers.next(),
            heldBefore = held - acquires,
            firstTicket = 0,
            unread = emptyList(),
            released = emptyList(),
            left = emptyList(),
            results = emptyList(),
        )
    }

    private fun done(numbers: Numbers): Answer.Done =
        Answer.Done(
            now = numbers.next(),
            permits = numbers.int(),
            held = numbers.int(),
            heldAfterGift = numbers.int(),
            queued = numbers.int(),
            next = numbers.next(),
            more = numbers.next() == 1L,
            open = numbers.next() == 1L,
            queues = numbers.next(),
            calm = numbers.next() == 1L,
            record = record(numbers),
            firstToken = numbers.next(),
            heldBefore = numbers.int(),
            firstTicket = numbers.next(),
            granted = numbers.list { int() },
            unread = numbers.list { news() },
            released = numbers.list { next() == 1L },
            left = numbers.list { int() },
            results = numbers.list { int() },
        )

    private fun record(numbers: Numbers): SessionRecord =
        numbers.run {
            SessionRecord(
                number = next(),
                given = next(),
                returned = next(),
                admitted = next(),
                passed = next(),
                restrained = next(),
                consumed = next(),
                dropped = next(),
                said = next(),
                deadline = next(),
                unread = next() == 1L,
            )
        }

    private fun Numbers.news(): News =
        when (val kind = letter()) {
            'a' -> News.Admitted(sequence = next(), token = next(), count = count(), given = int(), held = int())
            'g' -> News.Granted(sequence = next(), token = next(), count = count(), held = int(), grantedAt = next())
            'x' -> News.Revoked(token = next(), by = Labels.decoded(list { next() }))
            'r' -> News.Refused(sequence = next(), count = count())
            else -> unknown("$kind")
        }

    fun opened(reply: List<ByteArray>): Opened =
        RedisLine.understood(reply.firstOrNull()) {
            val words = reply.map { String(it) }
            when (words[0]) {
                "notfound" -> Opened.NotFound

                "mismatch" -> Opened.Mismatch(declared(words[1], words[2]))

                "format" -> Opened.Unreadable(words[1])

                "lease" -> Opened.LeaseTooLong(words[1].toLong())

                "over" -> Opened.Over

                "joined" ->
                    Opened.Joined(
                        epoch = words[1],
                        now = words[2].toLong(),
                        permits = words[3].toInt(),
                        declared = declared(words[4], words[5]),
                        width = words[6].toInt(),
                        longestMillis = words[7].toLong(),
                        listed = words.drop(8).mapTo(HashSet()) { it.toLong() },
                    )

                else -> unknown(words[0])
            }
        }

    private fun declared(
        permits: String,
        bounded: String,
    ) = Declared(permits.toInt(), bounded == "1")

    /** Whether [text], announced to a session, only says that an exchange would tell something. */
    fun isSummons(text: String): Boolean = text.endsWith(" deleted") || text.endsWith(" ask")

    /** `epoch given admitted restrained held queued news...`, as announced to a session; anything else is ignored. */
    fun announcement(text: String): Announcement? {
        val blank = text.indexOf(' ')
        if (blank <= 0) return null
        return try {
            Numbers(text.toByteArray(), from = blank + 1).run {
                Announcement(
                    epoch = text.substring(0, blank),
                    given = next(),
                    admitted = next(),
                    restrained = next(),
                    held = int(),
                    queued = int(),
                    unread = buildList { while (!atEnd) add(news()) },
                )
            }
        } catch (_: RuntimeException) {
            null
        }
    }

    private fun unknown(word: String): Nothing = throw IllegalStateException("something unknown, '${word.take(20)}'")

    /** Numbers, and letters before them, separated by single blanks. */
    private class Numbers(
        private val bytes: ByteArray,
        from: Int = 0,
    ) {
        private var at = from

        val atEnd: Boolean get() = at >= bytes.size

        fun letter(): Char = Char(bytes[at].toInt()).also { at += 2 }

        fun int(): Int = Math.toIntExact(next())

        fun count(): Int = int().also { require(it in 1..MAX_RUN) { "a run of $it" } }

        fun next(): Long {
            val negative = bytes[at] == MINUS
            if (negative) at++
            val begin = at
            var value = 0L
            while (at < bytes.size && bytes[at] != BLANK) {
                require(bytes[at] in DIGITS) { "no number" }
                value = value * 10 + (bytes[at++] - ZERO)
            }
            require(at > begin) { "no number" }
            at++
            return if (negative) -value else value
        }

        fun <T> list(entry: Numbers.() -> T): List<T> {
            val size = int()
            return if (size == 0) emptyList() else List(size) { entry() }
        }
    }

    /** More than any exchange asks for. */
    private const val MAX_RUN = 100_000

    private const val EQUALS = '='.code.toByte()
    private const val MINUS = '-'.code.toByte()
    private const val BLANK = ' '.code.toByte()
    private const val ZERO = '0'.code.toByte()
    private val DIGITS = ZERO..'9'.code.toByte()
}
