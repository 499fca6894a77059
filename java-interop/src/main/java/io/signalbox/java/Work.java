package io.signalbox.java;

import org.jspecify.annotations.Nullable;

/**
 * Work that is done while holding a permit.
 *
 * @param <T> what it results in
 * @param <X> what it fails with; {@code RuntimeException} if it throws nothing checked
 */
@FunctionalInterface
public interface Work<T extends @Nullable Object, X extends Exception> {
    /**
     * Does the work.
     *
     * @return the result
     * @throws X if it fails
     */
    T call() throws X;
}
