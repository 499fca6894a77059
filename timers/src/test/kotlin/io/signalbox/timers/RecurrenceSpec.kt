package io.signalbox.timers

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import java.time.Instant
import java.time.ZoneId
import java.util.Locale
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

class RecurrenceSpec : FunSpec({
    fun at(text: String) = Instant.parse(text)

    /** The occurrences from [from] on, each handled as soon as it is due. */
    fun Recurrence.from(
        from: String,
        count: Int,
    ) = generateSequence(first(at(from))) { next(it, it + 1.seconds) }.take(count).map { "$it" }.toList()

    val berlin = ZoneId.of("Europe/Berlin")

    test("cron: every day, in winter and in summer") {
        Recurrence.cron("0 12 * * *", berlin).from("2026-03-28T00:00:00Z", 3) shouldBe
            listOf("2026-03-28T11:00:00Z", "2026-03-29T10:00:00Z", "2026-03-30T10:00:00Z")
    }

    test("cron: a time in the gap occurs an hour later, and the day after is as usual") {
        Recurrence.cron("30 2 * * *", berlin).from("2026-03-28T12:00:00Z", 2) shouldBe
            listOf("2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z")
    }

    test("cron: a time that exists twice occurs once") {
        Recurrence.cron("30 2 * * *", berlin).from("2026-10-24T12:00:00Z", 2) shouldBe
            listOf("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z")
    }

    test("cron: every hour goes on through both changes of the clock") {
        for (day in listOf("2026-03-28T22:30:00Z", "2026-10-24T22:30:00Z")) {
            val start = at("${day.take(11)}23:00:00Z")
            Recurrence.cron("0 * * * *", berlin).from(day, 6) shouldBe List(6) { "${start + it.hours}" }
        }
    }

    test("cron: a start within the hour after a gap does not lose the day") {
        Recurrence.cron("30 2 * * *", berlin).from("2026-03-29T01:10:00Z", 2) shouldBe
            listOf("2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z")
    }

    test("cron: times that come to be the same occur once") {
        Recurrence.cron("0 2,3 * * *", berlin).from("2026-03-29T00:00:00Z", 2) shouldBe
            listOf("2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z")
    }

    test("cron: a second, a name, a range that wraps") {
        Recurrence.cron("*/20 59 23 31 DEC ?").from("2026-01-01T00:00:00Z", 4) shouldBe
            listOf("2026-12-31T23:59:00Z", "2026-12-31T23:59:20Z", "2026-12-31T23:59:40Z", "2027-12-31T23:59:00Z")
        Recurrence.cron("@monthly").from("2026-01-15T00:00:00Z", 2) shouldBe listOf("2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")
        Recurrence.cron("0 0 29 2 MON#5").from("2026-01-01T00:00:00Z", 1).size shouldBe 1
        Recurrence.cron("0 0 31W * *").from("2026-01-01T00:00:00Z", 3) shouldBe
            listOf("2026-01-30T00:00:00Z", "2026-03-31T00:00:00Z", "2026-05-29T00:00:00Z")
    }

    test("cron: what is no expression is refused with the part and what is expected") {
        fun refusal(text: String) = shouldThrow<IllegalArgumentException> { Recurrence.cron(text) }.message.shouldNotBeNull()
        refusal("0 12 * *\n*") shouldContain "control character U+000A"
        refusal("60 * * * *") shouldContain "\"60\" is no minute; expected 0 to 59"
        refusal("0 0 * * FUN") shouldContain "\"FUN\" is no day of the week; expected 0 to 7 or SUN to SAT"
        refusal("@never") shouldContain "@hourly"
        for (text in listOf("0 0 0 * *", "0 0 L-31 * *", "0 0 * * 5#6", "0/0 * * * *", "*/ * * * *", "1--2 * * * *", "0 0 W * *", "?")) {
            refusal(text) shouldContain "cannot be read"
        }
    }

    test("cron: names are read in any case, whatever the language of the machine") {
        val before = Locale.getDefault()
        try {
            Locale.setDefault(Locale.forLanguageTag("tr-TR"))
            Recurrence.cron("0  12 * apr   fri") shouldBe Recurrence.cron("0 12 * APR FRI")
            Recurrence.cron("@midnight").from("2026-01-15T00:00:00Z", 1) shouldBe listOf("2026-01-16T00:00:00Z")
        } finally {
            Locale.setDefault(before)
        }
    }

    test("an end and a number of occurrences") {
        val rate = Recurrence.fixedRate(1.hours)
        rate.until(at("2026-01-01T02:30:00Z")).run {
            next(at("2026-01-01T01:00:00Z"), at("2026-01-01T01:00:01Z")) shouldBe at("2026-01-01T02:00:00Z")
            next(at("2026-01-01T02:00:00Z"), at("2026-01-01T02:00:01Z")) shouldBe null
        }
        shouldThrow<IllegalArgumentException> { rate.times(0) }
        shouldThrow<IllegalArgumentException> { rate.times(1).times(2) }
        shouldThrow<IllegalArgumentException> { rate.until(Instant.MAX).until(Instant.MAX) }
        rate.next(Instant.parse("9999-12-31T23:30:00Z"), at("2026-01-01T00:00:00Z")) shouldBe null
    }

    test("an expression is read once") {
        val text = Recurrence.cron("1 2 3 4 *").encoded()
        (Recurrence.decode(text) === Recurrence.decode(text)) shouldBe true
    }

    test("cron: what was missed") {
        val due = at("2026-01-01T00:00:00Z")
        Recurrence.cron("0 * * * *").next(due, due + 5.hours + 1.minutes) shouldBe due + 6.hours
        Recurrence.cron("0 * * * *", misfire = Misfire.CATCH_UP).next(due, due + 5.hours + 1.minutes) shouldBe due + 1.hours
    }

    test("a fixed rate keeps its grid") {
        val due = at("2026-01-01T00:00:00Z")
        Recurrence.fixedRate(10.seconds).run {
            next(due, due + 1.seconds) shouldBe due + 10.seconds
            next(due, due + 10.seconds) shouldBe due + 20.seconds
            next(due, due + 34.seconds) shouldBe due + 40.seconds
        }
        Recurrence.fixedRate(10.seconds, Misfire.CATCH_UP).next(due, due + 34.seconds) shouldBe due + 10.seconds
    }

    test("recurrences are read as they were written") {
        listOf(
            Recurrence.fixedDelay(90.seconds),
            Recurrence.fixedRate(1.hours),
            Recurrence.fixedRate(1.hours, Misfire.CATCH_UP),
            Recurrence.cron("*/5 8-17 * * MON-FRI", ZoneId.of("America/New_York"), Misfire.CATCH_UP),
            Recurrence.fixedRate(1.hours).times(3),
            Recurrence.fixedRate(1.hours).until(Instant.parse("2030-01-01T00:00:00Z")),
            Recurrence.cron("@daily").until(Instant.parse("2030-01-01T00:00:00Z")).times(7),
        ).forEach { Recurrence.decode(it.encoded()) shouldBe it }
    }
})
