package io.signalbox.java;

/**
 * How a client creates a semaphore of the pool algorithm, see {@link SemaphoreOptions.Builder#pool(InitStrategy)}. Whatever is chosen, and whoever
 * dies half-way, the pool has its exact count. Clients with different strategies get along.
 */
public enum InitStrategy {
    /** One script. The only script a pool can ask for; needs the right to EVAL. */
    LUA,

    /** WATCH, MULTI, EXEC, repeated if somebody else was first. Needs a connection of its own for that moment. */
    OPTIMISTIC_LOCKING,

    /** A key set by SET NX with an expiry names the one client that creates; the others wait for it, or for the expiry (2 s). */
    SETNX,
}
