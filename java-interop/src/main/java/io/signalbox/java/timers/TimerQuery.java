package io.signalbox.java.timers;

import io.signalbox.java.internal.Nulls;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which timers to list.
 *
 * <p>Immutable: each method returns another query.
 */
public final class TimerQuery {
    private static final TimerQuery ALL = new TimerQuery(null, null, 100, null);

    private final @Nullable Instant from;
    private final @Nullable Instant until;
    private final int limit;
    private final @Nullable String after;

    private TimerQuery(@Nullable Instant from, @Nullable Instant until, int limit, @Nullable String after) {
        this.from = from;
        this.until = until;
        this.limit = limit;
        this.after = after;
    }

    /**
     * All timers, a hundred a page.
     *
     * @return the same object each time
     */
    public static TimerQuery all() {
        return ALL;
    }

    /**
     * Only those with {@link Timer#next()} not before this.
     *
     * @param from by the server's clock
     * @return another query
     */
    public TimerQuery from(Instant from) {
        return new TimerQuery(Nulls.given(from, "from"), until, limit, after);
    }

    /**
     * Only those with {@link Timer#next()} not after this.
     *
     * @param until by the server's clock
     * @return another query
     */
    public TimerQuery until(Instant until) {
        return new TimerQuery(from, Nulls.given(until, "until"), limit, after);
    }

    /**
     * How many a page.
     *
     * @param limit 1 to 1000
     * @return another query
     * @throws IllegalArgumentException if it is out of range
     */
    public TimerQuery limit(int limit) {
        if (limit < 1 || limit > 1000) {
            throw new IllegalArgumentException("limit must be from 1 to 1000, but was " + limit + ".");
        }
        return new TimerQuery(from, until, limit, after);
    }

    /**
     * The page after another one.
     *
     * @param after {@link TimerPage#next()} of the page before
     * @return another query
     */
    public TimerQuery after(String after) {
        return new TimerQuery(from, until, limit, Nulls.given(after, "after"));
    }

    /**
     * The earliest to list.
     *
     * @return empty for no limit
     */
    public Optional<Instant> from() {
        return Optional.ofNullable(from);
    }

    /**
     * The latest to list.
     *
     * @return empty for no limit
     */
    public Optional<Instant> until() {
        return Optional.ofNullable(until);
    }

    /**
     * How many a page.
     *
     * @return the limit
     */
    public int limit() {
        return limit;
    }

    /**
     * Where the page before ended.
     *
     * @return empty for the first page
     */
    public Optional<String> after() {
        return Optional.ofNullable(after);
    }

    @Override
    public String toString() {
        return "TimerQuery[from=" + from + ", until=" + until + ", limit=" + limit + ", after=" + after + "]";
    }
}
