package io.signalbox.timers

import com.cronutils.model.CronType
import com.cronutils.model.definition.CronDefinitionBuilder
import com.cronutils.model.time.ExecutionTime
import com.cronutils.parser.CronParser
import io.signalbox.internal.coordination.wholeMillis
import java.time.ZoneId
import java.time.ZoneOffset
import java.time.ZonedDateTime
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Instant
import kotlin.time.toJavaInstant
import kotlin.time.toKotlinInstant

/** How a timer comes again and again. */
public sealed class Recurrence {
    /** The first occurrence of one that is set at [now]. */
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

    internal abstract fun encoded(): String

    override fun toString(): String = encoded()

    override fun equals(other: Any?): Boolean = other is Recurrence && other.encoded() == encoded()

    override fun hashCode(): Int = encoded().hashCode()

    /** [delay] between the end of one occurrence and the beginning of the next. */
    internal class FixedDelay(
        val delayMillis: Long,
    ) : Recurrence() {
        override fun first(now: Instant) = now + delayMillis.milliseconds

        override fun next(
            due: Instant,
            now: Instant,
        ) = now + delayMillis.milliseconds

        override fun upcoming(
            due: Instant,
            now: Instant,
        ) = now + delayMillis.milliseconds

        override fun encoded() = "delay $delayMillis"
    }

    internal class FixedRate(
        val periodMillis: Long,
        val misfire: Misfire,
    ) : Recurrence() {
        override fun first(now: Instant) = now + periodMillis.milliseconds

        override fun next(
            due: Instant,
            now: Instant,
        ): Instant {
            val following = due + periodMillis.milliseconds
            return if (misfire == Misfire.CATCH_UP || following > now) following else upcoming(due, now)
        }

        override fun upcoming(
            due: Instant,
            now: Instant,
        ): Instant {
            if (due > now) return due
            val missed = (now - due).inWholeMilliseconds / periodMillis
            return due + (periodMillis * (missed + 1)).milliseconds
        }

        override fun encoded() = "rate $periodMillis ${misfire.name}"
    }

    internal class Cron(
        val expression: String,
        val zone: ZoneId,
        val misfire: Misfire,
    ) : Recurrence() {
        private val times: ExecutionTime =
            try {
                ExecutionTime.forCron(CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX)).parse(expression))
            } catch (problem: IllegalArgumentException) {
                throw IllegalArgumentException(
                    "The cron expression \"$expression\" cannot be read: ${problem.message}. Expected five fields: minute, hour, " +
                        "day of the month, month, day of the week.",
                    problem,
                )
            }

        /** Named hours are looked up on the clock of the wall; `*` and steps of hours go on through its changes. */
        private val hasNamedHours = expression.split(Regex("\\s+")).getOrElse(1) { "*" }.none { it == '*' }

        private fun after(moment: Instant): Instant? {
            val from = ZonedDateTime.ofInstant(moment.toJavaInstant(), zone)
            if (!hasNamedHours) return times.nextExecution(from).getOrNull()?.toInstant()?.toKotlinInstant()
            var wall = from.toLocalDateTime().atZone(ZoneOffset.UTC)
            while (true) {
                wall = times.nextExecution(wall).getOrNull() ?: return null
                val next = wall.toLocalDateTime().atZone(zone).toInstant().toKotlinInstant()
                if (next > moment) return next
            }
        }

        override fun first(now: Instant) = after(now)

        override fun next(
            due: Instant,
            now: Instant,
        ) = after(if (misfire == Misfire.CATCH_UP) due else maxOf(due, now))

        override fun upcoming(
            due: Instant,
            now: Instant,
        ) = if (due > now) due else after(now)

        override fun encoded() = "cron ${zone.id} ${misfire.name} $expression"
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
         * At the times of a five-field (Unix) cron [expression] in [zone], by com.cronutils. Where clocks go forward by an hour, a time
         * that
         * does not exist occurs an hour later; where they go back, a time that exists twice occurs the first time only. An expression with
         * `*` in its field for the hour goes on evenly through both.
         *
         * @throws IllegalArgumentException if the expression cannot be read, or never occurs.
         */
        public fun cron(
            expression: String,
            zone: ZoneId = ZoneId.of("UTC"),
            misfire: Misfire = Misfire.FIRE_ONCE,
        ): Recurrence = Cron(expression.trim(), zone, misfire)

        internal fun decode(text: String): Recurrence {
            val words = text.split(' ', limit = 4)
            return when (words[0]) {
                "delay" -> FixedDelay(words[1].toLong())
                "rate" -> FixedRate(words[1].toLong(), Misfire.valueOf(words[2]))
                "cron" -> Cron(words[3], ZoneId.of(words[1]), Misfire.valueOf(words[2]))
                else -> throw IllegalArgumentException("The recurrence \"${text.take(80)}\" cannot be read by this version of the library.")
            }
        }
    }
}

/** What becomes of occurrences that nobody handled in time, because all workers were down or busy. */
public enum class Misfire {
    /** However many were missed, one is handled, late; then the schedule goes on. */
    FIRE_ONCE,

    /** Every one of them is handled, one after the other. */
    CATCH_UP,
}
