package io.signalbox.java;

import io.signalbox.java.internal.Memory;

/**
 * What a server is to networked clients: the state that all in-memory clients made with it share. Thread-safe.
 *
 * <p>Several clients of one store behave like several processes on one server.
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

    Memory memory() {
        return memory;
    }
}
