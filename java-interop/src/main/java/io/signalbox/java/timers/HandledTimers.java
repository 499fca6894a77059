package io.signalbox.java.timers;

/**
 * What one pass over the ready timers did.
 *
 * @param succeeded how many handlers returned
 * @param retried how many failed and will come again
 * @param parked how many could not be decoded
 * @param dead how many used up their attempts
 */
public record HandledTimers(int succeeded, int retried, int parked, int dead) {
    /**
     * How many timers were taken.
     *
     * @return 0 or more
     */
    public int total() {
        return succeeded + retried + parked + dead;
    }
}
