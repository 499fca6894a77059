package io.signalbox.timers.internal.recurrence

import java.time.YearMonth

/**
 * The days that an expression names, by day of the month and day of the week. If both are given, a day that is either counts; a field
 * that begins with `*` or `?` leaves it to the other, as ever since Unix had cron.
 */
internal class CronDays private constructor(
    private val dates: DayRule,
    private val weekdays: DayRule,
    private val either: Boolean,
) {
    /** The days of [month] as bits 1 to 31. */
    fun of(month: YearMonth): Long {
        val one = dates.daysOf(month)
        val other = weekdays.daysOf(month)
        return if (either) one or other else one and other
    }

    /** The days of a month, as bits 1 to 31. */
    private fun interface DayRule {
        fun daysOf(month: YearMonth): Long
    }

    companion object {
        private const val FRIDAY = 5
        private val OPEN = setOf('*', '?')

        fun parse(
            day: String,
            weekday: String,
        ): CronDays =
            CronDays(
                anyOf(day.split(',').map(::dates)),
                anyOf(weekday.split(',').map(::weekdays)),
                either = day.first() !in OPEN && weekday.first() !in OPEN,
            )

        private fun anyOf(rules: List<DayRule>) = DayRule { month -> rules.fold(0L) { all, rule -> all or rule.daysOf(month) } }

        private fun dates(text: String): DayRule =
            when {
                text == "L" -> DayRule { bit(it.lengthOfMonth()) }
                text == "LW" -> DayRule { bit(weekdayNear(it, it.lengthOfMonth())) }
                text.startsWith("L-") -> CronField.DAY.number(text.drop(2), 1..30, text).let { back ->
                    DayRule { bit(it.lengthOfMonth() - back) }
                }
                text.endsWith("W") -> CronField.DAY.value(text.dropLast(1)).let { day -> DayRule { bit(weekdayNear(it, day)) } }
                else -> CronField.DAY.part(text).let { days -> DayRule { days and ((1L shl it.lengthOfMonth() + 1) - 1) } }
            }

        private fun weekdays(text: String): DayRule =
            when {
                '#' in text -> {
                    val weekday = CronField.WEEKDAY.value(text.substringBefore('#'))
                    val nth = CronField.WEEKDAY.number(text.substringAfter('#'), 1..5, text)
                    DayRule { month -> daysOf(month, weekday).drop(nth - 1).firstOrNull()?.let(::bit) ?: 0 }
                }

                text.length > 1 && text.endsWith("L") -> {
                    val weekday = CronField.WEEKDAY.value(text.dropLast(1))
                    DayRule { month -> bit(daysOf(month, weekday).last()) }
                }

                else -> {
                    val named = CronField.WEEKDAY.part(text)
                    DayRule { month ->
                        (1..month.lengthOfMonth()).fold(0L) { all, day -> if (named.has(month.weekday(day))) all or bit(day) else all }
                    }
                }
            }

        private fun daysOf(
            month: YearMonth,
            weekday: Int,
        ): List<Int> = (1..month.lengthOfMonth()).filter { month.weekday(it) == weekday % 7 }

        /** Of the working days of the month the nearest to [day]; none if the month has no such day. */
        private fun weekdayNear(
            month: YearMonth,
            day: Int,
        ): Int =
            when {
                day > month.lengthOfMonth() -> 0
                month.weekday(day) == 0 -> if (day == month.lengthOfMonth()) day - 2 else day + 1
                month.weekday(day) > FRIDAY -> if (day == 1) day + 2 else day - 1
                else -> day
            }

        private fun YearMonth.weekday(day: Int) = atDay(day).dayOfWeek.value % 7

        private fun bit(day: Int): Long = if (day < 1) 0 else 1L shl day
    }
}
