package io.signalbox.internal.redis

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.Codepoint
import io.kotest.property.arbitrary.alphanumeric
import io.kotest.property.arbitrary.arbitrary
import io.kotest.property.arbitrary.boolean
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.arbitrary.string
import io.kotest.property.checkAll
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Grant

/** What the scripts say is understood as they mean it. */
class AnswerParserSpec : FunSpec({
    test("an answer written as the header of exchange.lua says is read as it was written") {
        checkAll(500, answers) { answer -> AnswerParser.exchanged(answer.written().toByteArray()) shouldBe answer }
    }

    test("an exchange that was not executed says why") {
        AnswerParser.exchanged("lost a-B_9".toByteArray()) shouldBe Answer.Lost("a-B_9")
        AnswerParser.exchanged("lost ".toByteArray()) shouldBe Answer.Lost("")
        AnswerParser.exchanged("gap 12".toByteArray()) shouldBe Answer.Gap(12)
        AnswerParser.exchanged("stale".toByteArray()) shouldBe Answer.Stale
    }

    test("an answer of another version of the scripts is an error") {
        shouldThrow<IllegalStateException> { AnswerParser.exchanged("what".toByteArray()) }.message shouldBe
            "The script answered with something unknown: what"
        shouldThrow<IllegalStateException> { AnswerParser.exchanged(byteArrayOf()) }
    }

    test("an announcement is read as it was written") {
        checkAll(200, grants) { grant ->
            val line = "${grant.sequence} ${grant.token} ${grant.count} ${grant.holders} ${grant.grantedAt}"
            AnswerParser.announcement(line) shouldBe grant
        }
    }

    test("a line in the inbox that is no announcement is no announcement") {
        val lines =
            listOf("", " ", "a", "1 2 3 4", "1 2 3 4 5 6", "1 2 0 4 5", "1 2 100001 4 5", "1 2 x 4 5", "1 2 3 4 99999999999999999999")
        for (line in lines) {
            AnswerParser.announcement(line) shouldBe null
        }
    }
})

private val numbers = Arb.long(0L until (1L shl 53))
private val counts = Arb.int(0..1_000_000_000)

private val grants = arbitrary { Grant(numbers.bind(), numbers.bind(), Arb.int(1..100_000).bind(), counts.bind(), numbers.bind()) }

private val answers = arbitrary {
    Answer.Done(
        now = numbers.bind(),
        permits = counts.bind(),
        held = counts.bind(),
        queued = counts.bind(),
        next = Arb.long(-1L until (1L shl 53)).bind(),
        more = Arb.boolean().bind(),
        open = Arb.boolean().bind(),
        queues = numbers.bind(),
        granted = Arb.list(Arb.int(-1..2_000), 0..5).bind(),
        firstToken = numbers.bind(),
        heldBefore = counts.bind(),
        firstTicket = numbers.bind(),
        grants = Arb.list(grants, 0..5).bind(),
        released = Arb.list(Arb.boolean(), 0..5).bind(),
        left = Arb.list(counts, 0..5).bind(),
        results = Arb.list(Arb.int(-2..1_000_000_000), 0..5).bind(),
    )
}

/** By the words of the header of `lua/exchange.lua`. */
private fun Answer.Done.written(): String {
    fun flag(value: Boolean) = if (value) 1 else 0

    fun <T> list(
        entries: List<T>,
        words: (T) -> List<Any>,
    ) = listOf<Any>(entries.size) + entries.flatMap(words)

    val words = listOf<Any>(now, permits, held, queued, next, flag(more), flag(open), queues, firstToken, heldBefore, firstTicket) +
        list(granted) { listOf(it) } +
        list(grants) { listOf(it.sequence, it.token, it.count, it.holders, it.grantedAt) } +
        list(released) { listOf(flag(it)) } +
        list(left) { listOf(it) } +
        list(results) { listOf(it) }
    return words.joinToString(" ")
}
