package io.signalbox.java.timers;

import io.signalbox.java.internal.timers.Recurrences;
import java.time.Duration;
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
     * At the times of a five-field (Unix) cron expression. Where clocks go forward, a time that does not exist is moved to the end of the gap; where
     * they go back, a time that exists twice occurs once.
     *
     * @param expression five fields: minute, hour, day of the month, month, day of the week
     * @param zone whose clocks
     * @param misfire what becomes of missed occurrences
     * @return a recurrence
     * @throws IllegalArgumentException if the expression cannot be read
     */
    static Recurrence cron(String expression, ZoneId zone, Misfire misfire) {
        return Recurrences.cron(expression, zone, misfire);
    }
}
