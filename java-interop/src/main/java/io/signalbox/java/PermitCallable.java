package io.signalbox.java;

import org.jspecify.annotations.Nullable;

/**
 * Work that is done while holding a permit, and wants to know its fencing token.
 *
 * @param <T> what it results in
 * @param <X> what it fails with; {@code RuntimeException} if it throws nothing checked
 */
@FunctionalInterface
public interface PermitCallable<T extends @Nullable Object, X extends Exception> {
    /**
     * Does the work.
     *
     * @param permit what is held; given back by the caller
     * @return the result
     * @throws X if it fails
     */
    T call(Permit permit) throws X;
}
