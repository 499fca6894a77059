package io.signalbox.java.timers;

import io.signalbox.java.internal.timers.Recurrences;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;

/** How a timer comes again and again. Recurrences that mean the same are equal. Not to be implemented. */
public interface Recurrence {
    /**
     * Again {@code delay} after the handler has ended. There is nothing to miss.
     *
     * @param delay 1 ms or more, rounded up to whole milliseconds
     * @return a recurrence
     * @throws IllegalArgumentException if it is out of range
     */
    static Recurrence fixedDelay(Duration delay) {
        return Recurrences.fixedDelay(delay);
    }

    /**
     * {@link #fixedRate(Duration, Misfire)} that handles one occurrence, late, for those that were missed.
     *
     * @param period 1 ms or more
     * @return a recurrence
     * @throws IllegalArgumentException if it is out of range
     */
    static Recurrence fixedRate(Duration period) {
        return fixedRate(period, Misfire.FIRE_ONCE);
    }

    /**
     * Every {@code period}, counted from the first occurrence however long handlers take.
     *
     * @param period 1 ms or more, rounded up to whole milliseconds
     * @param misfire what becomes of missed occurrences
     * @return a recurrence
     * @throws IllegalArgumentException if it is out of range
     */
    static Recurrence fixedRate(Duration period, Misfire misfire) {
        return Recurrences.fixedRate(period, misfire);
    }

    /**
     * {@link #cron(String, ZoneId, Misfire)} in UTC that handles one occurrence, late, for those that were missed.
     *
     * @param expression five fields: minute, hour, day of the month, month, day of the week
     * @return a recurrence
     * @throws IllegalArgumentException if the expression cannot be read
     */
    static Recurrence cron(String expression) {
        return cron(expression, ZoneOffset.UTC, Misfire.FIRE_ONCE);
    }

    /**
     * The same without what would occur after {@code end}. The timer is gone when its last occurrence was handled or given up.
     *
     * @param end the last moment at which it may occur
     * @return another recurrence
     * @throws IllegalArgumentException if there is an end already
     */
    Recurrence until(Instant end);

    /**
     * The same with a number of occurrences: those that were handled or given up. What is missed does not count.
     *
     * @param count 1 or more
     * @return another recurrence
     * @throws IllegalArgumentException if there is a number already, or it is less than 1
     */
    Recurrence times(int count);

    /**
     * At the times of a cron expression.
     *
     * <p>Five fields, minute, hour, day of the month, month and day of the week (0 and 7 are Sunday), or six, with a second before them. In each:
     * {@code *}, numbers, names ({@code JAN}, {@code FRI}, in any case), lists, ranges that may wrap around ({@code FRI-MON}), steps. Days of the month
     * also: {@code L} the last, {@code L-3} the third before it, {@code 15W} the working day nearest to the 15th, {@code LW} the last working day. Days of
     * the week also: {@code FRI#2} the second Friday, {@code FRIL} the last. If both kinds of days are given, either counts. Or one of {@code @hourly},
     * {@code @daily}, {@code @midnight}, {@code @weekly}, {@code @monthly}, {@code @yearly}, {@code @annually}.
     *
     * <p>Where the clocks change: with {@code *} for the hour it occurs whenever a clock shows such a time. Anything else for the hour names times of day,
     * each of which occurs once on each of its days: a time that is left out occurs later by as much as is left out, one that is shown twice occurs the
     * first time. What comes to be the same moment occurs once.
     *
     * @param expression what to read
     * @param zone whose clocks
     * @param misfire what becomes of missed occurrences
     * @return a recurrence
     * @throws IllegalArgumentException if the expression cannot be read
     */
    static Recurrence cron(String expression, ZoneId zone, Misfire misfire) {
        return Recurrences.cron(expression, zone, misfire);
    }
}
