package io.signalbox.java;

import java.time.Duration;
import java.util.Objects;

/** What builders refuse, and in which words. */
final class Checks {
    static final Duration LONGEST = Duration.ofDays(365);
    static final Duration MILLISECOND = Duration.ofMillis(1);

    private Checks() {}

    static Duration within(String what, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, what);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    what + " must be from " + text(least) + " to " + text(most) + ", but was " + text(value) + ".");
        }
        return value;
    }

    static Duration atLeastOneMilli(String what, Duration value) {
        Objects.requireNonNull(value, what);
        if (value.compareTo(MILLISECOND) < 0) {
            throw new IllegalArgumentException(
                    what + " must be 1ms or more, but was " + text(value) + ". Leave it out for no limit.");
        }
        return value;
    }

    static int within(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    what + " must be from " + least + " to " + most + ", but was " + value + ".");
        }
        return value;
    }

    /** As the rest of the library writes durations where that is short, else as Java does. */
    private static String text(Duration value) {
        if (value.equals(Duration.ZERO)) return "0s";
        if (value.toNanosPart() % 1_000_000 != 0) return value.toString();
        if (value.toMillisPart() != 0)
            return Math.abs(value.getSeconds()) < 1000 ? value.toMillis() + "ms" : value.toString();
        if (value.getSeconds() % 86_400 == 0) return value.toDays() + "d";
        return value.getSeconds() + "s";
    }
}
