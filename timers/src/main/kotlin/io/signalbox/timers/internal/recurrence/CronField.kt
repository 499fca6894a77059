package io.signalbox.timers.internal.recurrence

/** A field of a cron expression with the numbers that it may name: lists of numbers, ranges (which may wrap around) and steps. */
internal enum class CronField(
    private val title: String,
    private val range: IntRange,
    private val names: List<String> = emptyList(),
) {
    SECOND("second", 0..59),
    MINUTE("minute", 0..59),
    HOUR("hour", 0..23),
    DAY("day of the month", 1..31),
    MONTH("month", 1..12, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(' ')),

    /** Sunday is 0, and 7 as well. */
    WEEKDAY("day of the week", 0..7, "SUN MON TUE WED THU FRI SAT".split(' ')),
    ;

    /** How many values there are before they begin again: Sunday has two numbers. */
    private val size get() = if (this == WEEKDAY) DAYS_OF_WEEK else range.last - range.first + 1

    fun parse(text: String): Long = text.split(',').fold(0L) { all, part -> all or part(part) }

    /** One part of a list. */
    fun part(text: String): Long {
        val step = if ('/' in text) number(text.substringAfter('/'), 1..range.last, text) else 1
        val span = text.substringBefore('/')
        val (from, to) =
            when {
                span == "*" || (span == "?" && (this == DAY || this == WEEKDAY)) -> Pair(range.first, range.first + size - 1)
                '-' in span -> Pair(value(span.substringBefore('-')), value(span.substringAfter('-')))
                '/' in text -> Pair(value(span), range.first + size - 1)
                else -> value(span).let { Pair(it, it) }
            }
        var bits = 0L
        for (value in from..(if (to < from) to + size else to) step step) {
            bits = bits or (1L shl (range.first + (value - range.first) % size))
        }
        return bits
    }

    fun value(text: String): Int {
        val named = names.indexOf(text)
        return if (named >= 0) named + range.first else number(text, range, text)
    }

    fun number(
        text: String,
        allowed: IntRange,
        within: String,
    ): Int {
        val number = if (text.length in 1..2 && text.all { it in '0'..'9' }) text.toInt() else null
        require(number != null && number in allowed) {
            "\"${within.take(20)}\" is no $title; expected ${allowed.first} to ${allowed.last}" +
                (if (names.isEmpty()) "" else " or ${names.first()} to ${names.last()}") + ", ranges, steps or lists of them"
        }
        return number
    }

    private companion object {
        const val DAYS_OF_WEEK = 7
    }
}
