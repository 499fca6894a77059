package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one acquire wants that is not the same for all of its semaphore or mutex.
 *
 * <pre>{@code
 * semaphore.withPermit(AcquireOptions.within(Duration.ofSeconds(2)).maxHold(Duration.ofMinutes(5)), () -> export());
 * }</pre>
 *
 * <p>Immutable: each method makes another one. Durations are rounded up to whole milliseconds.
 */
public final class AcquireOptions {
    private static final AcquireOptions DEFAULTS = new AcquireOptions(1, null, null, Duration.ZERO);

    private final int permits;
    private final @Nullable Duration timeout;
    private final @Nullable Duration maxHold;
    private final Duration minHold;

    private AcquireOptions(int permits, @Nullable Duration timeout, @Nullable Duration maxHold, Duration minHold) {
        this.permits = permits;
        this.timeout = timeout;
        this.maxHold = maxHold;
        this.minHold = minHold;
    }

    /**
     * One permit, with the time limit and the max hold of the handle, and no minimum hold.
     *
     * @return the same object each time
     */
    public static AcquireOptions defaults() {
        return DEFAULTS;
    }

    /**
     * The defaults, but for the time limit.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return the options
     */
    public static AcquireOptions within(Duration timeout) {
        return DEFAULTS.timeout(Nulls.given(timeout, "timeout"));
    }

    /**
     * How many permits are acquired at once, atomically; of a mutex 1.
     *
     * @return what was given, or 1
     */
    public int permits() {
        return permits;
    }

    /**
     * How long the acquire may wait.
     *
     * @return what was given, or empty for the handle's
     */
    public Optional<Duration> timeout() {
        return Optional.ofNullable(timeout);
    }

    /**
     * How long the grant may be held.
     *
     * @return what was given, or empty for the handle's
     */
    public Optional<Duration> maxHold() {
        return Optional.ofNullable(maxHold);
    }

    /**
     * For how long others are kept out at the least.
     *
     * @return what was given, or zero
     */
    public Duration minHold() {
        return minHold;
    }

    /**
     * Sets how many permits are acquired at once.
     *
     * @param permits at least 1
     * @return other options
     * @throws IllegalArgumentException if it is less
     */
    public AcquireOptions permits(int permits) {
        return new AcquireOptions(Checks.within("permits", permits, 1, Integer.MAX_VALUE), timeout, maxHold, minHold);
    }

    /**
     * Limits how long the acquire waits, whatever the handle says.
     *
     * @param timeout zero tries once; {@link java.time.temporal.ChronoUnit#FOREVER} waits for ever
     * @return other options
     * @throws IllegalArgumentException if it is negative
     */
    public AcquireOptions timeout(Duration timeout) {
        return new AcquireOptions(permits, Checks.notNegative("timeout", timeout), maxHold, minHold);
    }

    /**
     * Limits how long the grant may be held, whatever the handle says: at that moment it is lost.
     *
     * @param maxHold 1 ms to 365 days, by the server's clock; {@link java.time.temporal.ChronoUnit#FOREVER} for no limit
     * @return other options
     * @throws IllegalArgumentException if it is out of range
     */
    public AcquireOptions maxHold(Duration maxHold) {
        boolean isEndless = maxHold.getSeconds() == Long.MAX_VALUE;
        return new AcquireOptions(
                permits,
                timeout,
                isEndless ? maxHold : Checks.within("maxHold", maxHold, Checks.MILLISECOND, Checks.LONGEST),
                minHold);
    }

    /**
     * Keeps others out for that long from the grant on at the least, however soon it is given back: for a job that several processes start at about the
     * same time, each by its own clock.
     *
     * <p>Giving it back ends the matter for the caller, as ever. From then on the server keeps the permit, also when the client is closed or its process ends;
     * closing a client that holds it gives it back in the same way. Whoever ends without either has said nothing: then the permit is free one lease after its
     * last exchange. What the server has lost is not kept. A snapshot lists what is kept ({@link SemaphoreSnapshot.Holder#isKept()}), and
     * {@link Semaphore#revoke(long)} frees it.
     *
     * <p>The acquire is refused with an {@link IllegalArgumentException} if that is longer than the max hold, and with an
     * {@link UnsupportedOperationException} by a pool.
     *
     * @param minHold zero, for none, to 365 days, by the server's clock. With it, a hold without a limit is limited to 365 days
     * @return other options
     * @throws IllegalArgumentException if it is out of range
     */
    public AcquireOptions minHold(Duration minHold) {
        return new AcquireOptions(
                permits, timeout, maxHold, Checks.within("minHold", minHold, Duration.ZERO, Checks.LONGEST));
    }

    @Override
    public String toString() {
        return "AcquireOptions[permits=" + permits + ", timeout=" + timeout + ", maxHold=" + maxHold + ", minHold="
                + minHold + "]";
    }
}
