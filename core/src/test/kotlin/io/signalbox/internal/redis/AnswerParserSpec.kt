package io.signalbox.internal.redis

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.property.Arb
import io.kotest.property.arbitrary.arbitrary
import io.kotest.property.arbitrary.boolean
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Expectation
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.SessionRecord
import io.signalbox.internal.ledger.Words
import io.signalbox.ledger.text

/** What the scripts say is understood as they mean it. */
class AnswerParserSpec : FunSpec({
    val exchange = Exchange("a.1", 1, "epoch", "inbox", Words())

    fun exchanged(text: String) = AnswerParser.exchanged(text.toByteArray(), exchange)

    test("an answer written as the header of the exchange says is read as it was written") {
        checkAll(500, answers) { answer -> exchanged(answer.written()) shouldBe answer }
    }

    test("an answer as expected means what was expected") {
        val before = SessionRecord(number = 4, given = 3, returned = 3, admitted = 3, passed = 3, said = 3, deadline = 9_000)
        val after = before.copy(number = 5, given = 5, admitted = 5, passed = 5)
        val acquires = listOf(AcquireRun(2, weight = 1, holdMillis = -1, waits = true))
        val expecting =
            Exchange("a.1", 5, "epoch", "inbox", Words(3, 3), acquires = acquires, expected = Expectation(before, after, 8, 2, 8_000))
        val answer = AnswerParser.exchanged("= 7000 6 1700000000000001 2".toByteArray(), expecting) as Answer.Done
        answer.record shouldBe after
        answer.granted shouldBe listOf(2)
        answer.firstToken shouldBe 1700000000000001
        answer.held shouldBe 6
        answer.heldBefore shouldBe 4
        answer.calm shouldBe true
    }

    test("an exchange that was not executed says why") {
        exchanged("lost lapsed") shouldBe Answer.Lost(Answer.Reason.LAPSED)
        exchanged("lost data") shouldBe Answer.Lost(Answer.Reason.DATA_LOST)
        exchanged("gap 12") shouldBe Answer.Gap(12)
        exchanged("stale") shouldBe Answer.Stale
        exchanged("contradiction") shouldBe Answer.Contradiction
        exchanged("format 3") shouldBe Answer.Unreadable("3")
    }

    test("whatever else comes is no answer of the scripts, and the error says so") {
        for (text in listOf("", "what", "gap", "gap x", "lost", "1 2 3", "OK", "1 2 x", "= 1 2 3 4", "-", "99999999999999999999 1")) {
            withClue(text) {
                val failure = shouldThrow<LedgerFailure> { exchanged(text) }
                failure.final shouldBe true
                failure.executed shouldBe true
                (failure.error is StoreUnavailableException) shouldBe true
                failure.error.message shouldContain "unlike Redis"
            }
        }
        for (reply in listOf(emptyList(), listOf("what"), listOf("joined"), listOf("joined", "e", "x", "1", "1", "1", "0"))) {
            shouldThrow<LedgerFailure> { AnswerParser.opened(reply.map { it.toByteArray() }) }
        }
    }

    test("an announcement is read as it was written") {
        checkAll(200, announcements) { announcement ->
            val facts =
                announcement.run { listOf(epoch, given, admitted, restrained, held, queued) } + announcement.unread.map { it.text() }
            AnswerParser.announcement(facts.joinToString(" ")) shouldBe announcement
        }
    }

    test("a line in the inbox that is no announcement is no announcement") {
        val lines =
            listOf(
                "", " ", "a", "e 1 2 3 4", "e 1 2 3 4 x", "e 1 2 3 4 5 a 1 2 0 1 1", "e 1 2 3 4 5 a 1 2 100001 1 1", "e 1 2 3 4 5 z 1 2 3",
                "e 1 2 3 4 99999999999999999999", "e 1 2 3 4 5 a 1 2 3",
            )
        for (line in lines) {
            withClue(line) { AnswerParser.announcement(line) shouldBe null }
        }
    }
})

private val numbers = Arb.long(0L until (1L shl 53))
private val counts = Arb.int(0..1_000_000_000)

private val news = arbitrary {
    val count = Arb.int(1..100_000).bind()
    when (Arb.int(0..2).bind()) {
        0 -> News.Admitted(numbers.bind(), numbers.bind(), count, counts.bind(), counts.bind())
        1 -> News.Granted(numbers.bind(), numbers.bind(), count, counts.bind(), numbers.bind())
        else -> News.Refused(numbers.bind(), count)
    }
}

private val announcements = arbitrary {
    Announcement("a-B_9", numbers.bind(), numbers.bind(), numbers.bind(), counts.bind(), counts.bind(), Arb.list(news, 0..5).bind())
}

private val records = arbitrary {
    SessionRecord(
        numbers.bind(), numbers.bind(), numbers.bind(), numbers.bind(), numbers.bind(), numbers.bind(), numbers.bind(), numbers.bind(),
        numbers.bind(), numbers.bind(), Arb.boolean().bind(),
    )
}

private val answers = arbitrary {
    Answer.Done(
        now = numbers.bind(),
        permits = counts.bind(),
        held = counts.bind(),
        heldAfterGift = counts.bind(),
        queued = counts.bind(),
        next = Arb.long(-1L until (1L shl 53)).bind(),
        more = Arb.boolean().bind(),
        open = Arb.boolean().bind(),
        queues = numbers.bind(),
        record = records.bind(),
        calm = Arb.boolean().bind(),
        granted = Arb.list(Arb.int(-1..2_000), 0..5).bind(),
        firstToken = numbers.bind(),
        heldBefore = counts.bind(),
        firstTicket = numbers.bind(),
        unread = Arb.list(news, 0..5).bind(),
        released = Arb.list(Arb.boolean(), 0..5).bind(),
        left = Arb.list(counts, 0..5).bind(),
        results = Arb.list(Arb.int(-2..1_000_000_000), 0..5).bind(),
    )
}

/** By the words of the header of `lua/exchange/fast.lua`. */
private fun Answer.Done.written(): String {
    fun flag(value: Boolean) = if (value) 1 else 0

    fun <T> list(
        entries: List<T>,
        words: (T) -> Any,
    ) = listOf<Any>(entries.size) + entries.map(words)

    val words = listOf<Any>(now, permits, held, heldAfterGift, queued, next, flag(more), flag(open), queues, flag(calm), record.text()) +
        listOf(firstToken, heldBefore, firstTicket) +
        list(granted) { it } +
        list(unread) { it.text() } +
        list(released) { flag(it) } +
        list(left) { it } +
        list(results) { it }
    return words.joinToString(" ")
}
