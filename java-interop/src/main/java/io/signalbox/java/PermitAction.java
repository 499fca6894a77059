package io.signalbox.java;

/**
 * Work without a result that is done while holding a permit, and wants to know its fencing token.
 *
 * @param <X> what it fails with; {@code RuntimeException} if it throws nothing checked
 */
@FunctionalInterface
public interface PermitAction<X extends Exception> {
    /**
     * Does the work.
     *
     * @param permit what is held; given back by the caller
     * @throws X if it fails
     */
    void run(Permit permit) throws X;
}
