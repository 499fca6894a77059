package io.signalbox.java;

/**
 * One grant of a semaphore or mutex: what both views of a permit have in common.
 *
 * <p>Safe to use from any thread; it does not belong to the thread that acquired it.
 */
public sealed interface Grant permits Permit, AsyncPermit {
    /**
     * The name of the semaphore or mutex.
     *
     * @return the name given when it was made
     */
    String name();

    /**
     * A number larger than that of every earlier grant of this semaphore, in every process, over restarts of the server too as long as its
     * clock is not behind. Give it to whatever the permit protects, and have that refuse a smaller token than the largest it has seen.
     *
     * @return the token; always below 2^53, so it survives JSON and doubles
     */
    long fencingToken();

    /**
     * How many permits this grant holds.
     *
     * @return 1 or more
     */
    int permits();

    /**
     * How many permits of the semaphore were held right after this grant, these included.
     *
     * @return 1 or more
     */
    int holdersAtGrant();

    /**
     * Whether this permit was lost: its lease could not be renewed, its max hold passed, or the client was closed. Never becomes false again.
     * Becomes true before the server can give the permit to somebody else, by this client's monotonic clock. Stays as it was after a release.
     *
     * @return whether it was lost
     */
    boolean isLost();

    /**
     * Calls {@code action} when the permit is lost; soon if it already is; never if it was released before. At most one call, on the callback
     * executor. An action that throws harms nobody; it is logged.
     *
     * @param action what to do
     * @return a handle that takes the registration back
     */
    Registration onLost(Runnable action);
}
