package io.signalbox.java.internal.timers

import io.signalbox.java.internal.Nulls
import io.signalbox.java.internal.kotlin
import io.signalbox.java.timers.Misfire
import io.signalbox.java.timers.Recurrence
import io.signalbox.timers.Misfire as CoreMisfire
import io.signalbox.timers.Recurrence as CoreRecurrence
import java.time.Duration
import java.time.Instant
import java.time.ZoneId

internal class RecurrenceView(
    val core: CoreRecurrence,
) : Recurrence {
    override fun until(end: Instant): Recurrence = RecurrenceView(core.until(Nulls.given(end, "end")))

    override fun times(count: Int): Recurrence = RecurrenceView(core.times(count))

    override fun equals(other: Any?): Boolean = other is RecurrenceView && other.core == core

    override fun hashCode(): Int = core.hashCode()

    override fun toString(): String = core.toString()
}

/** Behind the factories of [Recurrence]. */
internal object Recurrences {
    @JvmStatic
    fun fixedDelay(delay: Duration): Recurrence = RecurrenceView(CoreRecurrence.fixedDelay(Nulls.given(delay, "delay").kotlin()))

    @JvmStatic
    fun fixedRate(
        period: Duration,
        misfire: Misfire,
    ): Recurrence =
        RecurrenceView(CoreRecurrence.fixedRate(Nulls.given(period, "period").kotlin(), Nulls.given(misfire, "misfire").kotlin()))

    @JvmStatic
    fun cron(
        expression: String,
        zone: ZoneId,
        misfire: Misfire,
    ): Recurrence =
        RecurrenceView(
            CoreRecurrence.cron(
                Nulls.given(expression, "expression"),
                Nulls.given(zone, "zone"),
                Nulls.given(misfire, "misfire").kotlin(),
            ),
        )

    fun core(recurrence: Recurrence): CoreRecurrence =
        requireNotNull(recurrence as? RecurrenceView) { "A recurrence must be made by Recurrence, but was $recurrence." }.core

    private fun Misfire.kotlin(): CoreMisfire =
        when (this) {
            Misfire.FIRE_ONCE -> CoreMisfire.FIRE_ONCE
            Misfire.CATCH_UP -> CoreMisfire.CATCH_UP
        }
}
