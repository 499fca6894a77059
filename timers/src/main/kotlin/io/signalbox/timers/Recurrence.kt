package io.signalbox.timers

import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.timers.internal.Limits
import io.signalbox.timers.internal.recurrence.CronClock
import io.signalbox.timers.internal.recurrence.CronExpression
import java.time.Instant
import java.time.ZoneId
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days

/** How a timer comes again and again. */
public sealed class Recurrence {
    /** The first occurrence of one that is set at [now]; `null` if there is none. */
    internal abstract fun first(now: Instant): Instant?

    /** The occurrence after that of [due], which was dealt with at [now]; `null` if there is none. */
    internal abstract fun next(
        due: Instant,
        now: Instant,
    ): Instant?

    /** The first occurrence after [now] of one that was due at [due], whatever was missed. */
    internal abstract fun upcoming(
        due: Instant,
        now: Instant,
    ): Instant?

    /** What is added to the present, if the next occurrence is counted from then. */
    internal open val pauseMillis: Long? get() = null

    /** So many occurrences at most. */
    internal open val count: Int? get() = null

    internal abstract fun encoded(): String

    /**
     * The same without what would occur after [end]. The timer is gone when its last occurrence was handled or given up.
     *
     * @throws IllegalArgumentException if there is an end already.
     */
    public fun until(end: Instant): Recurrence {
        require(this !is Limited || this.end == null) { "The recurrence \"$this\" has an end already." }
        val millis = if (end < Instant.EPOCH) 0 else Limits.millis(minOf(end, Limits.LAST), roundUp = false)
        return Limited(base(), millis, count)
    }

    /**
     * The same with [count] occurrences at most, 1 or more: those that were handled or given up. What is missed does not count. Setting
     * the timer with another recurrence begins to count anew.
     *
     * @throws IllegalArgumentException if there is such a limit already.
     */
    public fun times(count: Int): Recurrence {
        require(count >= 1) { "count must be at least 1, but was $count." }
        require(this.count == null) { "The recurrence \"$this\" has a number of occurrences already." }
        return Limited(base(), (this as? Limited)?.end, count)
    }

    private fun base() = if (this is Limited) base else this

    override fun toString(): String = encoded()

    override fun equals(other: Any?): Boolean = other is Recurrence && other.encoded() == encoded()

    override fun hashCode(): Int = encoded().hashCode()

    /** [delayMillis] between the end of one occurrence and the beginning of the next. */
    internal class FixedDelay(
        val delayMillis: Long,
    ) : Recurrence() {
        override val pauseMillis get() = delayMillis

        override fun first(now: Instant) = inTime(now.plusMillis(delayMillis))

        override fun next(
            due: Instant,
            now: Instant,
        ) = first(now)

        override fun upcoming(
            due: Instant,
            now: Instant,
        ) = first(now)

        override fun encoded() = "delay $delayMillis"
    }

    internal class FixedRate(
        val periodMillis: Long,
        val misfire: Misfire,
    ) : Recurrence() {
        override fun first(now: Instant) = inTime(now.plusMillis(periodMillis))

        override fun next(
            due: Instant,
            now: Instant,
        ): Instant? {
            val following = due.plusMillis(periodMillis)
            return inTime(if (misfire == Misfire.CATCH_UP || following > now) following else upcoming(due, now))
        }

        override fun upcoming(
            due: Instant,
            now: Instant,
        ): Instant {
            if (due > now) return due
            val missed = java.time.Duration.between(due, now).toMillis() / periodMillis
            return due.plusMillis(periodMillis * (missed + 1))
        }

        override fun encoded() = "rate $periodMillis ${misfire.name}"
    }

    internal class Cron(
        val expression: CronExpression,
        val zone: ZoneId,
        val misfire: Misfire,
    ) : Recurrence() {
        private val clock = CronClock(expression, zone)

        private fun after(moment: Instant): Instant? = clock.next(moment)?.let(::inTime)

        override fun first(now: Instant) = after(now)

        override fun next(
            due: Instant,
            now: Instant,
        ) = after(if (misfire == Misfire.CATCH_UP) due else maxOf(due, now))

        override fun upcoming(
            due: Instant,
            now: Instant,
        ) = if (due > now) due else after(now)

        override fun encoded() = "cron ${zone.id} ${misfire.name} ${expression.text}"
    }

    /** Another one with an end, a number of occurrences, or both. */
    internal class Limited(
        val base: Recurrence,
        val end: Long?,
        override val count: Int?,
    ) : Recurrence() {
        private fun Instant.inside(): Instant? = takeIf { end == null || it.toEpochMilli() <= end }

        override fun first(now: Instant) = base.first(now)?.inside()

        override fun next(
            due: Instant,
            now: Instant,
        ) = base.next(due, now)?.inside()

        override fun upcoming(
            due: Instant,
            now: Instant,
        ) = base.upcoming(due, now)?.inside()

        override fun encoded() = (if (end == null) "" else "until $end ") + (if (count == null) "" else "times $count ") + base.encoded()
    }

    public companion object {
        private val LONGEST = (365 * 100).days

        /** Again [delay] after the handler has ended; 1 ms or more, whole milliseconds, rounded up. There is nothing to miss. */
        public fun fixedDelay(delay: Duration): Recurrence = FixedDelay(wholeMillis("delay", delay, LONGEST))

        /** Every [period], counted from the first occurrence however long handlers take; 1 ms or more, whole milliseconds, rounded up. */
        public fun fixedRate(
            period: Duration,
            misfire: Misfire = Misfire.FIRE_ONCE,
        ): Recurrence = FixedRate(wholeMillis("period", period, LONGEST), misfire)

        /**
         * At the times of a cron [expression] in [zone].
         *
         * Five fields, minute, hour, day of the month, month and day of the week (0 and 7 are Sunday), or six, with a second before them.
         * In
         * each: `*`, numbers, names (`JAN`, `FRI`, in any case), lists (`1,15`), ranges that may wrap around (`FRI-MON`, `22-2`), steps
         * (`*&#47;15`, `8-18/2`). Days of the month also: `L` the last, `L-3` the third before it, `15W` the working day nearest to the
         * 15th, `LW`
         * the last working day. Days of the week also: `FRI#2` the second Friday, `FRIL` the last. If both kinds of days are given, either
         * counts. Or one of `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`.
         *
         * Where the clocks change: with `*` for the hour it occurs whenever a clock shows such a time. Anything else for the hour names
         * times of day, each of which occurs once on each of its days: a time that is left out occurs later by as much as is left out, one
         * that
         * is shown twice occurs the first time. What comes to be the same moment occurs once.
         *
         * @throws IllegalArgumentException if the expression cannot be read; that it never occurs is found when the timer is set.
         */
        public fun cron(
            expression: String,
            zone: ZoneId = ZoneId.of("UTC"),
            misfire: Misfire = Misfire.FIRE_ONCE,
        ): Recurrence = Cron(CronExpression.parse(expression), zone, misfire)

        /** Read once, however often it comes. */
        private val known = ConcurrentHashMap<String, Recurrence>()
        private const val MOST_KNOWN = 10_000

        internal fun decode(text: String): Recurrence {
            known[text]?.let { return it }
            val read = read(text)
            if (known.size >= MOST_KNOWN) known.clear()
            known[text] = read
            return read
        }

        private fun read(text: String): Recurrence {
            val words = text.split(' ', limit = 4)
            return when (words[0]) {
                "delay" -> FixedDelay(words[1].toLong())
                "rate" -> FixedRate(words[1].toLong(), Misfire.valueOf(words[2]))
                "cron" -> Cron(CronExpression.parse(words[3]), ZoneId.of(words[1]), Misfire.valueOf(words[2]))
                "until" -> read(text.split(' ', limit = 3)[2]).let {
                    Limited(if (it is Limited) it.base else it, words[1].toLong(), it.count)
                }
                "times" -> Limited(read(text.split(' ', limit = 3)[2]), null, words[1].toInt())
                else -> throw IllegalArgumentException("The recurrence \"${text.take(80)}\" cannot be read by this version of the library.")
            }
        }

        /** No timer is due later than what can be stored. */
        private fun inTime(moment: Instant): Instant? = moment.takeIf { it <= Limits.LAST }
    }
}

/** What becomes of occurrences that nobody handled in time, because all workers were down or busy. */
public enum class Misfire {
    /** However many were missed, one is handled, late; then the schedule goes on. */
    FIRE_ONCE,

    /** Every one of them is handled, one after the other. */
    CATCH_UP,
}
