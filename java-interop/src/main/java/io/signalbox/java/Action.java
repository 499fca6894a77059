package io.signalbox.java;

/**
 * Work without a result that is done while holding a permit.
 *
 * @param <X> what it fails with; {@code RuntimeException} if it throws nothing checked
 */
@FunctionalInterface
public interface Action<X extends Exception> {
    /**
     * Does the work.
     *
     * @throws X if it fails
     */
    void run() throws X;
}
