package io.signalbox.java;

import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What became of work that was to be done only if a permit was granted in time.
 *
 * @param <T> what the work results in
 */
public final class Attempt<T extends @Nullable Object> {
    private static final Attempt<?> NOT_IN_TIME = new Attempt<>(false, null);

    private final boolean ran;
    private final @Nullable T result;

    private Attempt(boolean ran, @Nullable T result) {
        this.ran = ran;
        this.result = result;
    }

    /**
     * Makes one of work that was done; the library does.
     *
     * @param <T> what the work results in
     * @param result what it returned
     * @return the attempt
     */
    public static <T extends @Nullable Object> Attempt<T> ran(T result) {
        return new Attempt<>(true, result);
    }

    /**
     * Makes one of work that was not done; the library does.
     *
     * @param <T> what the work results in
     * @return the same object each time
     */
    @SuppressWarnings("unchecked")
    public static <T extends @Nullable Object> Attempt<T> notInTime() {
        return (Attempt<T>) NOT_IN_TIME;
    }

    /**
     * Whether the permit was granted and the work was done.
     *
     * @return {@code false} if it was not granted in time, because others have it
     */
    public boolean hasRun() {
        return ran;
    }

    /**
     * What the work has returned, {@code null} too.
     *
     * @return its result
     * @throws NoSuchElementException if it was not done
     */
    @SuppressWarnings("NullAway")
    public T result() {
        if (!ran) throw new NoSuchElementException("The permit was not granted in time, so the work was not done.");
        return result;
    }

    /**
     * What the work has returned, or {@code other} if it was not done.
     *
     * @param other the result instead
     * @return one of them
     */
    @SuppressWarnings("NullAway")
    public T orElse(T other) {
        return ran ? result : other;
    }

    /**
     * What the work has returned, or what {@code other} gives if it was not done.
     *
     * @param other makes the result instead
     * @return one of them
     */
    @SuppressWarnings("NullAway")
    public T orElseGet(Supplier<? extends T> other) {
        return ran ? result : other.get();
    }

    @Override
    public String toString() {
        return ran ? "Ran[" + result + "]" : "NotInTime";
    }
}
