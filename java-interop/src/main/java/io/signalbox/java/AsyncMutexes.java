package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Several {@linkplain AsyncMutex mutexes} at once, for futures. As {@link Mutexes}, which says in which order they are locked. */
public final class AsyncMutexes {
    private AsyncMutexes() {}

    /**
     * Runs {@code work} while holding all of {@code mutexes}, and gives them back when its stage is complete, on every path.
     *
     * @param <T> what the work results in
     * @param mutexes at least one, of one client, no two of one name
     * @param work starts what is to be done while holding them; gets the permits in the order of the mutexes as given
     * @return what the work's stage resulted in, once the locks have been given back; exceptionally with {@code LeaseLostException} if
     *     one was lost before
     */
    public static <T extends @Nullable Object> CompletableFuture<T> withLocks(
            List<AsyncMutex> mutexes, Function<? super List<AsyncPermit>, ? extends CompletionStage<T>> work) {
        return withLocks(mutexes, AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLocks(List, Function)} with a time limit or a max hold, for each of the locks.
     *
     * @param <T> what the work results in
     * @param mutexes at least one, of one client, no two of one name
     * @param options what to do differently; of one permit
     * @param work starts what is to be done while holding them; gets the permits in the order of the mutexes as given
     * @return what the work's stage resulted in, once the locks have been given back; exceptionally with {@code AcquireTimeoutException}
     *     if one was not granted in time, and none is held then
     */
    public static <T extends @Nullable Object> CompletableFuture<T> withLocks(
            List<AsyncMutex> mutexes,
            AcquireOptions options,
            Function<? super List<AsyncPermit>, ? extends CompletionStage<T>> work) {
        Nulls.given(options, "options");
        Nulls.given(work, "work");
        var given = List.copyOf(Nulls.allGiven(mutexes, "mutexes"));
        List<AsyncMutex> ordered;
        try {
            ordered = Checks.byName(given, AsyncMutex::name);
        } catch (IllegalArgumentException misuse) {
            return CompletableFuture.failedFuture(misuse);
        }
        return lockNext(
                ordered,
                options,
                new ConcurrentHashMap<>(),
                held -> work.apply(given.stream().map(it -> held.get(it.name())).toList()));
    }

    private static <T extends @Nullable Object> CompletableFuture<T> lockNext(
            List<AsyncMutex> left,
            AcquireOptions options,
            Map<String, AsyncPermit> held,
            Function<Map<String, AsyncPermit>, ? extends CompletionStage<T>> work) {
        var next = left.get(0);
        return next.withLock(options, permit -> {
            held.put(next.name(), permit);
            return left.size() == 1 ? work.apply(held) : lockNext(left.subList(1, left.size()), options, held, work);
        });
    }
}
