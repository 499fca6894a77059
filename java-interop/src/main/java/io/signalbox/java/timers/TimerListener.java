package io.signalbox.java.timers;

/** Hears of every {@link TimerEvent} of a process, as a binding to metrics wants to. */
@FunctionalInterface
public interface TimerListener {
    /**
     * Called on a thread of the library that has other things to do: must be quick. What it throws is logged.
     *
     * @param event what happened
     */
    void onEvent(TimerEvent event);
}
