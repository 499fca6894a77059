package io.signalbox.java;

/**
 * Hears what happens to one client, see {@link Signalbox#addListener(SignalboxListener)}. What metrics and logs are built on.
 *
 * <p>Called on threads of the library, in the middle of its work, so that what is heard is in order: return quickly, do not block. What a listener
 * throws is logged and otherwise ignored. Calls for one permit come in the order of what happened; calls for different permits may overlap.
 * {@link Signalbox#observations()} is the one to take for anything that may be slow.
 */
public interface SignalboxListener {
    /**
     * Something was acquired.
     *
     * @param granted what, and after what wait
     */
    default void onGranted(Observation.Granted granted) {}

    /**
     * A release was confirmed, or a signal consumed.
     *
     * @param released what, and how long it was held
     */
    default void onReleased(Observation.Released released) {}

    /**
     * A permit was lost before it was released.
     *
     * @param lost what, and how long it was held
     */
    default void onLost(Observation.Lost lost) {}

    /**
     * An acquire has waited in vain: its time limit passed while others held.
     *
     * @param timedOut what, and how long it waited
     */
    default void onTimedOut(Observation.TimedOut timedOut) {}

    /**
     * An acquire was refused, or failed, without a time limit having passed.
     *
     * @param refused what, and why
     */
    default void onRefused(Observation.Refused refused) {}

    /**
     * A permit is held for longer than {@link SignalboxOptions.Builder#holdWarning(java.time.Duration)}; told once. Whoever has it may have
     * forgotten to release it.
     *
     * @param heldLong what, and how long it has been held
     */
    default void onHeldLong(Observation.HeldLong heldLong) {}

    /**
     * The store has answered an exchange. There are very many of these: they are not among {@link Signalbox#observations()}.
     *
     * @param exchanged what travelled, and how long it took
     */
    default void onExchanged(Exchanged exchanged) {}

    /**
     * A connection was lost.
     *
     * @param disconnected which one
     */
    default void onDisconnected(Observation.Disconnected disconnected) {}

    /**
     * A connection that had been lost is there again.
     *
     * @param reconnected which one
     */
    default void onReconnected(Observation.Reconnected reconnected) {}
}
