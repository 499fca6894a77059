package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;

/** What builders refuse, and in which words. */
final class Checks {
    static final Duration LONGEST = Duration.ofDays(365);
    static final Duration MILLISECOND = Duration.ofMillis(1);

    private Checks() {}

    static Duration within(String what, Duration value, Duration least, Duration most) {
        Nulls.given(value, what);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    what + " must be from " + text(least) + " to " + text(most) + ", but was " + text(value) + ".");
        }
        return value;
    }

    static Duration atLeastOneMilli(String what, Duration value) {
        Nulls.given(value, what);
        if (value.compareTo(MILLISECOND) < 0) {
            throw new IllegalArgumentException(
                    what + " must be 1ms or more, but was " + text(value) + ". Leave it out for no limit.");
        }
        return value;
    }

    static Duration notNegative(String what, Duration value) {
        Nulls.given(value, what);
        if (value.isNegative()) {
            throw new IllegalArgumentException(
                    what + " must not be negative, but was " + text(value) + ". Zero tries once without waiting.");
        }
        return value;
    }

    static Duration notBackwards(String what, Duration value) {
        Nulls.given(value, what);
        if (value.isNegative()) {
            throw new IllegalArgumentException(what + " must not be negative, but was " + text(value) + ".");
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

    /** In the order in which several are locked: the same in both views, and in Kotlin. */
    static <M> List<M> byName(List<M> mutexes, Function<M, String> name) {
        if (mutexes.isEmpty()) throw new IllegalArgumentException("mutexes must not be empty.");
        var ordered = mutexes.stream().sorted(Comparator.comparing(name)).toList();
        for (int i = 1; i < ordered.size(); i++) {
            var twice = name.apply(ordered.get(i));
            if (twice.equals(name.apply(ordered.get(i - 1))))
                throw new IllegalArgumentException(
                        "mutexes must have different names, but there are two named '" + twice + "'.");
        }
        return ordered;
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
