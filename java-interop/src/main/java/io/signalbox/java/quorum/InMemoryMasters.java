package io.signalbox.java.quorum;

import io.signalbox.java.internal.quorum.QuorumClients;

/**
 * What independent servers are to networked clients: the state that all in-memory clients made with them share, and a way to have them fail in
 * tests. Thread-safe.
 */
public final class InMemoryMasters {
    private final io.signalbox.quorum.InMemoryMasters core;

    private InMemoryMasters(io.signalbox.quorum.InMemoryMasters core) {
        this.core = core;
    }

    /**
     * Makes three masters, on this process's clock.
     *
     * @return new masters
     */
    public static InMemoryMasters create() {
        return create(3);
    }

    /**
     * Makes masters, on this process's clock.
     *
     * @param count 3, 5 or 7
     * @return new masters
     * @throws IllegalArgumentException for another count
     */
    public static InMemoryMasters create(int count) {
        return new InMemoryMasters(QuorumClients.masters(count));
    }

    /**
     * How many there are.
     *
     * @return 3, 5 or 7
     */
    public int count() {
        return core.getCount();
    }

    /**
     * Has a master answer nothing any more.
     *
     * @param master 0 is the first
     * @throws IllegalArgumentException if there is no such master
     */
    public void stop(int master) {
        core.stop(master);
    }

    /**
     * Has a master answer again.
     *
     * @param master 0 is the first
     * @param keepsData whether it has the data that it had; else it does not vote until the longest lease has passed
     * @throws IllegalArgumentException if there is no such master
     */
    public void start(int master, boolean keepsData) {
        core.start(master, keepsData);
    }

    io.signalbox.quorum.InMemoryMasters core() {
        return core;
    }
}
