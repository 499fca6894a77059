package io.signalbox.timers.recurrence

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.timers.internal.recurrence.CronClock
import io.signalbox.timers.internal.recurrence.CronExpression
import java.time.DayOfWeek
import java.time.Duration
import java.time.Instant
import java.time.LocalDate
import java.time.LocalDateTime
import java.time.ZoneId
import java.time.temporal.TemporalAdjusters
import kotlin.random.Random

/** An expression, and the same said in another way: of a minute on the wall, whether it is named, and which of its [seconds] are. */
private class Kind(
    val expression: String,
    val everyHour: Boolean = false,
    val seconds: List<Int> = listOf(0),
    val names: (LocalDateTime) -> Boolean,
)

private val KINDS =
    listOf(
        Kind("30 2 * * *") { it.hour == 2 && it.minute == 30 },
        Kind("0,30 2 * * *") { it.hour == 2 && it.minute % 30 == 0 },
        Kind("*/15 2 * * *") { it.hour == 2 && it.minute % 15 == 0 },
        Kind("* 1-3 * * *") { it.hour in 1..3 },
        Kind("0 2,3 * * *") { it.hour in 2..3 && it.minute == 0 },
        Kind("10 */2 * * *") { it.hour % 2 == 0 && it.minute == 10 },
        Kind("*/30 */2 * * *") { it.hour % 2 == 0 && it.minute % 30 == 0 },
        Kind("5 22-2 * * *") { (it.hour >= 22 || it.hour <= 2) && it.minute == 5 },
        Kind("15,45 0,30 2 * * *", seconds = listOf(15, 45)) { it.hour == 2 && it.minute % 30 == 0 },
        Kind("*/20 59 1,3 * * ?", seconds = listOf(0, 20, 40)) { it.hour in listOf(1, 3) && it.minute == 59 },
        Kind("50-10/10 0 * * * *", everyHour = true, seconds = listOf(0, 10, 50)) { it.minute == 0 },
        Kind("0 * * * *", everyHour = true) { it.minute == 0 },
        Kind("*/20 * * * *", everyHour = true) { it.minute % 20 == 0 },
        Kind("50-10/10 * * * *", everyHour = true) { it.minute in listOf(50, 0, 10) },
        Kind("15 2 * * SUN") { it.hour == 2 && it.minute == 15 && it.dayOfWeek == DayOfWeek.SUNDAY },
        Kind("15 2 * * FRI-MON") { it.hour == 2 && it.minute == 15 && it.dayOfWeek !in DayOfWeek.TUESDAY..DayOfWeek.THURSDAY },
        Kind("45 1 1,15 * 5") { it.hour == 1 && it.minute == 45 && (it.dayOfMonth in listOf(1, 15) || it.dayOfWeek == DayOfWeek.FRIDAY) },
        Kind("0 2 L * *") { it.hour == 2 && it.minute == 0 && it.dayOfMonth == it.toLocalDate().lengthOfMonth() },
        Kind("0 2 L-3 * ?") { it.hour == 2 && it.minute == 0 && it.dayOfMonth == it.toLocalDate().lengthOfMonth() - 3 },
        Kind("0 2 * * SUNL") { it.hour == 2 && it.minute == 0 && it.toLocalDate() == it.toLocalDate().last(DayOfWeek.SUNDAY) },
        Kind("0 2 * * 7#2") { it.hour == 2 && it.minute == 0 && it.toLocalDate() == it.toLocalDate().nth(2, DayOfWeek.SUNDAY) },
        Kind("0 2 15W * *") { it.hour == 2 && it.minute == 0 && it.toLocalDate() == nearestWorkday(it.toLocalDate().withDayOfMonth(15)) },
        Kind("0 2 LW NOV-MAR *") {
            it.hour == 2 && it.minute == 0 && it.monthValue !in 4..10 &&
                it.toLocalDate() == lastWorkday(it.toLocalDate())
        },
    )

private fun LocalDate.last(day: DayOfWeek) = with(TemporalAdjusters.lastInMonth(day))

private fun LocalDate.nth(
    n: Int,
    day: DayOfWeek,
) = with(TemporalAdjusters.dayOfWeekInMonth(n, day))

private fun LocalDate.isWorkday() = dayOfWeek < DayOfWeek.SATURDAY

private fun nearestWorkday(date: LocalDate) =
    listOf(0L, -1, 1, -2, 2).map { date.plusDays(it) }.first { it.isWorkday() && it.month == date.month }

private fun lastWorkday(date: LocalDate) = (0L..3).map { date.last(1).minusDays(it) }.first { it.isWorkday() }

private fun LocalDate.last(days: Int) = withDayOfMonth(lengthOfMonth() - days + 1)

/**
 * Cron expressions minute by minute: every minute on the wall, or of the clock, of the days around every change of ten years, and of other days.
 * The walk over `-Dsignalbox.cron.days` other days, by default 1 000 over all zones, takes as long as one wants.
 */
class CronAgainstCalendarSpec :
    FunSpec({
        val days = System.getProperty("signalbox.cron.days")?.toInt() ?: 1_000
        val seed = System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()
        val zones = listOf("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata").map(ZoneId::of)

        /** All occurrences from the beginning of [first] to the end of [last], as the table in the documentation has them. */
        fun reference(
            kind: Kind,
            zone: ZoneId,
            first: LocalDate,
            last: LocalDate,
        ): List<Instant> {
            val begin = first.atStartOfDay()
            if (!kind.everyHour) {
                return generateSequence(begin) { it.plusMinutes(1) }
                    .takeWhile { it < last.plusDays(1).atStartOfDay() }
                    .filter(kind.names)
                    .flatMap { minute -> kind.seconds.map { minute.plusSeconds(it.toLong()) } }
                    .map { it.atZone(zone).toInstant() }
                    .toSortedSet()
                    .toList()
            }
            val end = last.plusDays(1).atStartOfDay(zone).toInstant()
            return generateSequence(first.atStartOfDay(zone).toInstant()) { it.plusSeconds(60) }
                .takeWhile { it < end }
                .filter { kind.names(LocalDateTime.ofInstant(it, zone)) }
                .flatMap { minute -> kind.seconds.map { minute.plusSeconds(it.toLong()) } }
                .toList()
        }

        fun compare(
            zone: ZoneId,
            first: LocalDate,
            last: LocalDate,
            moments: Sequence<Instant> = emptySequence(),
        ) {
            for (kind in KINDS) {
                withClue({ "${kind.expression} in $zone, $first to $last, seed $seed" }) {
                    val expected = reference(kind, zone, first, last)
                    val clock = CronClock(CronExpression.parse(kind.expression), zone)
                    val begin = first.atStartOfDay(zone).toInstant().minusMillis(1)
                    val end = last.plusDays(1).atStartOfDay(zone).toInstant()
                    generateSequence(clock.next(begin)) { clock.next(it) }.takeWhile { it < end }.toList() shouldBe expected
                    for (moment in moments) {
                        val next = expected.firstOrNull { it > moment } ?: continue
                        withClue({ "after $moment" }) { clock.next(moment) shouldBe next }
                    }
                }
            }
        }

        for (zone in zones) {
            test("every minute around the changes of ten years in $zone") {
                var change = zone.rules.nextTransition(Instant.parse("2026-01-01T00:00:00Z"))
                while (change != null && change.instant < Instant.parse("2036-01-01T00:00:00Z")) {
                    val day = change.dateTimeBefore.toLocalDate()
                    val around = generateSequence(change.instant - Duration.ofHours(3)) { it.plusSeconds(17 * 60 + 1) }.take(24)
                    compare(zone, day.minusDays(1), day.plusDays(1), around)
                    change = zone.rules.nextTransition(change.instant)
                }
            }
        }

        test("every minute of $days other days") {
            val random = Random(seed)
            repeat(days / 5) {
                val day = LocalDate.of(2020, 1, 1).plusDays(random.nextLong(20_000))
                compare(zones.random(random), day, day.plusDays(4))
            }
        }
    })
