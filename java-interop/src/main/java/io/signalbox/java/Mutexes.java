package io.signalbox.java;

import io.signalbox.java.internal.Nulls;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Several {@linkplain Mutex mutexes} at once, for threads; {@link AsyncMutexes} for futures.
 *
 * <p>They are locked one after the other in the order of their names, and given back in the opposite one: whoever locks several by these
 * methods, or by {@code withLocks} in Kotlin, in any process, waits for nobody who waits for him. Locks that are taken around or inside
 * of it by other calls are not ordered; take all that are needed at once, the most contended with the last name.
 *
 * <p>Each is a lock of its own, with its own lease and token. If one is lost the work is interrupted, and the exception names that one;
 * the others are given back. While this waits for one it holds those before it.
 */
public final class Mutexes {
    private Mutexes() {}

    /**
     * Work that is done while holding several locks, and wants to know their fencing tokens.
     *
     * @param <T> what it results in
     * @param <X> what it fails with; {@code RuntimeException} if it throws nothing checked
     */
    @FunctionalInterface
    public interface PermitsCallable<T extends @Nullable Object, X extends Exception> {
        /**
         * Does the work.
         *
         * @param permits what is held, in the order of the mutexes as given; given back by the caller
         * @return the result
         * @throws X if it fails
         */
        T call(List<Permit> permits) throws X;
    }

    /**
     * Runs {@code work} on this thread while holding all of {@code mutexes}, and gives them back on every path.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param mutexes at least one, of one client, no two of one name
     * @param work what to do while holding them
     * @return what the work returned
     * @throws IllegalArgumentException if there are none, or two of one name
     * @throws IllegalStateException if the thread holds one of them through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if the time limit of a handle passes first; none is held then
     * @throws io.signalbox.LeaseLostException if one was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before all are held
     * @throws X what the work throws
     */
    public static <T extends @Nullable Object, X extends Exception> T withLocks(List<Mutex> mutexes, Work<T, X> work)
            throws X, InterruptedException {
        Nulls.given(work, "work");
        return withLocks(mutexes, AcquireOptions.defaults(), permits -> work.call());
    }

    /**
     * {@link #withLocks(List, Work)} for work that wants to know the permits.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param mutexes at least one, of one client, no two of one name
     * @param work what to do while holding them
     * @return what the work returned
     * @throws IllegalArgumentException if there are none, or two of one name
     * @throws IllegalStateException if the thread holds one of them through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if the time limit of a handle passes first; none is held then
     * @throws io.signalbox.LeaseLostException if one was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before all are held
     * @throws X what the work throws
     */
    public static <T extends @Nullable Object, X extends Exception> T withLocks(
            List<Mutex> mutexes, PermitsCallable<T, X> work) throws X, InterruptedException {
        return withLocks(mutexes, AcquireOptions.defaults(), work);
    }

    /**
     * {@link #withLocks(List, Work)} with a time limit or a max hold, for each of the locks, and work that wants to know the permits.
     *
     * @param <T> what the work results in
     * @param <X> what the work fails with
     * @param mutexes at least one, of one client, no two of one name
     * @param options what to do differently; of one permit
     * @param work what to do while holding them
     * @return what the work returned
     * @throws IllegalArgumentException if there are none, or two of one name
     * @throws IllegalStateException if the thread holds one of them through {@code withLock}
     * @throws io.signalbox.AcquireTimeoutException if one was not granted in time; none is held then
     * @throws io.signalbox.LeaseLostException if one was lost before the work ended, whatever the work made of it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted before all are held
     * @throws X what the work throws
     */
    public static <T extends @Nullable Object, X extends Exception> T withLocks(
            List<Mutex> mutexes, AcquireOptions options, PermitsCallable<T, X> work) throws X, InterruptedException {
        Nulls.given(options, "options");
        Nulls.given(work, "work");
        var given = List.copyOf(Nulls.allGiven(mutexes, "mutexes"));
        try {
            return lockNext(Checks.byName(given, Mutex::name), options, new HashMap<>(), held -> {
                return work.call(given.stream().map(it -> held.get(it.name())).toList());
            });
        } catch (Exception problem) {
            throw Mutexes.<X>asDeclared(problem);
        }
    }

    private interface Inside<T extends @Nullable Object> {
        T call(Map<String, Permit> held) throws Exception;
    }

    private static <T extends @Nullable Object> T lockNext(
            List<Mutex> left, AcquireOptions options, Map<String, Permit> held, Inside<T> work) throws Exception {
        var next = left.get(0);
        return next.<T, Exception>withLock(options, permit -> {
            held.put(next.name(), permit);
            return left.size() == 1 ? work.call(held) : lockNext(left.subList(1, left.size()), options, held, work);
        });
    }

    /** Only what the work throws, an interrupt, and what is unchecked can come out of there. */
    @SuppressWarnings("unchecked")
    private static <X extends Exception> X asDeclared(Exception problem) {
        return (X) problem;
    }
}
