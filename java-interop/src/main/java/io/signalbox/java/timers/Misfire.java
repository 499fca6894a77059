package io.signalbox.java.timers;

/** What becomes of occurrences that nobody handled in time, because all workers were down or busy. */
public enum Misfire {
    /** However many were missed, one is handled, late; then the schedule goes on. */
    FIRE_ONCE,

    /** Every one of them is handled, one after the other. */
    CATCH_UP,
}
