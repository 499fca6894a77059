package io.signalbox.timers.internal.recurrence

import java.time.Instant
import java.time.LocalDateTime
import java.time.ZoneId
import java.time.zone.ZoneOffsetTransition

/**
 * When the times that [expression] names are, in [zone]. `docs/timers.md` has the rules as a table:
 *
 * - every hour (`*`): whenever a clock on the wall shows such a time, however often it does;
 * - anything else for the hour names times of day, and each of them occurs once on each of its days: where the clocks leave it out, later
 *   by
 *   as much as they leave out; where they show it twice, the first time. Times that come to be the same moment occur once.
 */
internal class CronClock(
    private val expression: CronExpression,
    zone: ZoneId,
) {
    private val rules = zone.rules

    /** The first occurrence after [moment]; `null` if there is none. */
    fun next(moment: Instant): Instant? = if (expression.isEveryHour) nextShown(moment) else nextNamed(moment)

    private fun nextShown(moment: Instant): Instant? {
        var offset = rules.getOffset(moment)
        var wall = LocalDateTime.ofInstant(moment, offset)
        var change = rules.nextTransition(moment)
        while (true) {
            val next = expression.next(wall)?.toInstant(offset) ?: return null
            if (change == null || next < change.instant) return next
            // Not before the clocks change: from the first moment after that on.
            offset = change.offsetAfter
            wall = change.dateTimeAfter.minusNanos(1)
            change = rules.nextTransition(change.instant)
        }
    }

    private fun nextNamed(moment: Instant): Instant? {
        val wall = LocalDateTime.ofInstant(moment, rules.getOffset(moment))
        val before = rules.previousTransition(moment.plusNanos(1))
        val moved = before?.let { stillMoved(it, moment) }
        // In the second pass of an hour everything that it could name has been.
        val isSecondPass = before != null && before.isOverlap && wall < before.dateTimeBefore
        val next = nextOnWall(if (isSecondPass) before.dateTimeBefore.minusNanos(1) else wall)
        return listOfNotNull(moved, next).minOrNull()
    }

    /** What the gap left out and moved, if that is still to come. */
    private fun stillMoved(
        gap: ZoneOffsetTransition,
        moment: Instant,
    ): Instant? {
        if (!gap.isGap || moment >= gap.instant + gap.duration) return null
        return nextWithin(gap, gap.dateTimeBefore + java.time.Duration.between(gap.instant, moment))
    }

    private fun nextWithin(
        gap: ZoneOffsetTransition,
        from: LocalDateTime,
    ): Instant? = expression.next(from)?.takeIf { it < gap.dateTimeAfter }?.toInstant(gap.offsetBefore)

    private fun nextOnWall(from: LocalDateTime): Instant? {
        val wall = expression.next(from) ?: return null
        val change = rules.getTransition(wall) ?: return wall.toInstant(rules.getOffset(wall))
        val first = wall.toInstant(change.offsetBefore)
        if (!change.isGap) return first
        // What is moved may come after what is not.
        val behind = nextOnWall(change.dateTimeAfter.minusNanos(1))
        return listOfNotNull(first, behind).minOrNull()
    }
}
