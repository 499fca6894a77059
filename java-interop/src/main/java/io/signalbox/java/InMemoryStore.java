package io.signalbox.java;

import io.signalbox.java.internal.Memory;
import io.signalbox.java.internal.Nulls;
import java.time.Duration;

/**
 * What a server is to networked clients: the state that all in-memory clients made with it share. Thread-safe.
 *
 * <p>Several clients of one store behave like several processes on one server; {@link #crash(Signalbox)} ends one of them without a word. With {@link
 * #withManualClock()} leases, time limits and timers take no time: they pass when a test calls {@link #advance(Duration)}.
 */
public final class InMemoryStore {
    private final Memory memory;

    private InMemoryStore(Memory memory) {
        this.memory = memory;
    }

    /**
     * Makes an empty store, on this process's clock.
     *
     * @return a new store
     */
    public static InMemoryStore create() {
        return new InMemoryStore(Memory.realTime());
    }

    /**
     * Makes an empty store whose clock, and that of all its clients, stands still until {@link #advance(Duration)} moves it.
     *
     * <p>A call with a time limit that has to wait ends when somebody grants it, or when the clock has been moved that far: by another thread, since this one
     * waits.
     *
     * @return a new store
     */
    public static InMemoryStore withManualClock() {
        return new InMemoryStore(Memory.manualTime());
    }

    /**
     * Moves the clock. Whatever falls due on the way happens at its moment, in order, and what follows from it as well: when this returns, leases that
     * have ended are over, and who waited for them is served, though the threads that wait for the outcome may go on a moment later.
     *
     * @param step how far, zero or more, and not further than 146 years from where the clock began
     * @throws IllegalArgumentException if it is out of range
     * @throws IllegalStateException if the store is on this process's clock
     */
    public void advance(Duration step) {
        memory.advance(Checks.notBackwards("step", step));
    }

    /**
     * Ends a client as the death of its process would: nothing is given back or said any more, its calls fail with {@code SignalboxClosedException}, and what it
     * held is free one lease later.
     *
     * @param client one of this store
     * @throws IllegalArgumentException if it is none, or has crashed before
     */
    public void crash(Signalbox client) {
        memory.crash(Nulls.given(client, "client"));
    }

    Memory memory() {
        return memory;
    }
}
