package io.signalbox.timers.internal.recurrence

import java.time.LocalDate
import java.time.LocalDateTime
import java.time.LocalTime
import java.time.YearMonth
import java.util.Locale

/**
 * A cron expression, read once: which times of day and which days it names, as bits. Knows the calendar, not the clocks of any zone.
 *
 * Five fields (minute, hour, day of the month, month, day of the week) or six (a second before them), or a name such as `@daily`.
 */
internal class CronExpression private constructor(
    /** As it was read: one blank between fields, capital letters. */
    val text: String,
    private val seconds: Long,
    private val minutes: Long,
    private val hours: Long,
    private val months: Long,
    private val days: CronDays,
) {
    /** Whether the hours say nothing about the time of day. */
    val isEveryHour: Boolean get() = hours == ALL_HOURS

    /** The first time on the wall after [time]; `null` if there is none within a lifetime. */
    fun next(time: LocalDateTime): LocalDateTime? {
        val from = time.withNano(0).plusSeconds(1)
        if (isNamed(from.toLocalDate())) nextInDay(from.toLocalTime())?.let { return from.toLocalDate().atTime(it) }
        val first = nextInDay(LocalTime.MIDNIGHT)!!
        return nextDay(from.toLocalDate().plusDays(1))?.atTime(first)
    }

    private fun isNamed(date: LocalDate) = months.has(date.monthValue) && days.of(YearMonth.from(date)).has(date.dayOfMonth)

    private fun nextDay(from: LocalDate): LocalDate? {
        var month = YearMonth.from(from)
        var day = from.dayOfMonth
        repeat(MOST_MONTHS) {
            if (months.has(month.monthValue)) {
                val next = days.of(month).atOrAfter(day)
                if (next <= month.lengthOfMonth()) return month.atDay(next)
            }
            month = month.plusMonths(1)
            day = 1
        }
        return null
    }

    private fun nextInDay(from: LocalTime): LocalTime? {
        var hour = hours.atOrAfter(from.hour)
        var minute = if (hour == from.hour) minutes.atOrAfter(from.minute) else minutes.atOrAfter(0)
        var second = if (hour == from.hour && minute == from.minute) seconds.atOrAfter(from.second) else seconds.atOrAfter(0)
        if (second > MOST_SECOND) {
            minute = minutes.atOrAfter(minute + 1)
            second = seconds.atOrAfter(0)
        }
        if (minute > MOST_SECOND) {
            hour = hours.atOrAfter(hour + 1)
            minute = minutes.atOrAfter(0)
            second = seconds.atOrAfter(0)
        }
        return if (hour > MOST_HOUR) null else LocalTime.of(hour, minute, second)
    }

    companion object {
        private const val MOST_SECOND = 59
        private const val MOST_HOUR = 23
        private const val ALL_HOURS = (1L shl 24) - 1

        /** A day of the week on the 29th of February comes after 40 years at most. */
        private const val MOST_MONTHS = 12 * 41

        private val NICKNAMES =
            mapOf(
                "@YEARLY" to "0 0 1 1 *",
                "@ANNUALLY" to "0 0 1 1 *",
                "@MONTHLY" to "0 0 1 * *",
                "@WEEKLY" to "0 0 * * 0",
                "@DAILY" to "0 0 * * *",
                "@MIDNIGHT" to "0 0 * * *",
                "@HOURLY" to "0 * * * *",
            )

        /** @throws IllegalArgumentException if it cannot be read; the text says which part, and what is expected. */
        fun parse(expression: String): CronExpression {
            val offender = expression.firstOrNull { it.isISOControl() || it.category == CharCategory.LINE_SEPARATOR }
            require(offender == null) {
                unreadable(expression, "it contains the control character U+%04X".format(Locale.ROOT, offender!!.code))
            }
            // Not by the locale of the machine: in Turkish the capital of i is another letter.
            val text = expression.trim().uppercase(Locale.ROOT).split(BLANKS).joinToString(" ")
            if (text.startsWith("@")) {
                requireNotNull(NICKNAMES[text]) {
                    unreadable(expression, "names are ${NICKNAMES.keys.joinToString { it.lowercase(Locale.ROOT) }}")
                }
            }
            val fields = (NICKNAMES[text] ?: text).split(' ')
            require(fields.size in FIELDS) { unreadable(expression, "it has ${if (text.isEmpty()) 0 else fields.size} fields") }
            val (minute, hour, day, month, weekday) = fields.takeLast(FIELDS.first)
            try {
                return CronExpression(
                    text,
                    seconds = if (fields.size == FIELDS.last) CronField.SECOND.parse(fields[0]) else 1,
                    minutes = CronField.MINUTE.parse(minute),
                    hours = CronField.HOUR.parse(hour),
                    months = CronField.MONTH.parse(month),
                    days = CronDays.parse(day, weekday),
                )
            } catch (problem: IllegalArgumentException) {
                throw IllegalArgumentException(unreadable(expression, problem.message.orEmpty()), problem)
            }
        }

        private val BLANKS = Regex("\\s+")
        private val FIELDS = 5..6

        private fun unreadable(
            expression: String,
            why: String,
        ): String {
            val shown = expression.take(80).map { if (it.isISOControl()) ' ' else it }.joinToString("")
            return "The cron expression \"$shown\" cannot be read: $why. Expected five fields: minute, hour, day of the month, month, " +
                "day of the week; or six, with a second before them."
        }
    }
}

internal fun Long.has(bit: Int): Boolean = this ushr bit and 1 == 1L

/** The lowest bit from [bit] on that is set; 64 if there is none. */
internal fun Long.atOrAfter(bit: Int): Int = if (bit >= Long.SIZE_BITS) Long.SIZE_BITS else (this ushr bit shl bit).countTrailingZeroBits()
