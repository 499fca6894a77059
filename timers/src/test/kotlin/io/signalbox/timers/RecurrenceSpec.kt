package io.signalbox.timers

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import java.time.ZoneId
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.Instant

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
        ).forEach { Recurrence.decode(it.encoded()) shouldBe it }
    }
})
