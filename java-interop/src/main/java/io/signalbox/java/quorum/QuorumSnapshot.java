package io.signalbox.java.quorum;

import java.time.Duration;
import java.util.List;

/**
 * Who holds and who waits at one semaphore of a quorum, as a majority of the masters says.
 *
 * @param name the name of the semaphore
 * @param declaredPermits the count the semaphore was created with
 * @param permits the current count
 * @param waiting how many acquires wait in the queues of the masters; of one client at most as many as there are permits
 * @param holders what a majority keeps, by slot
 * @param masters the servers, in the order of the addresses
 */
public record QuorumSnapshot(
        String name, int declaredPermits, int permits, int waiting, List<Holder> holders, List<Master> masters) {
    /** The slot of a grant is its token modulo this. */
    private static final int SLOTS = 1024;

    /**
     * Makes a snapshot; for tests of what is done with snapshots.
     *
     * @param name the name of the semaphore
     * @param declaredPermits the count the semaphore was created with
     * @param permits the current count
     * @param waiting how many acquires wait
     * @param holders the grants; copied
     * @param masters the servers; copied
     */
    public QuorumSnapshot {
        holders = List.copyOf(holders);
        masters = List.copyOf(masters);
    }

    /**
     * How many permits are held.
     *
     * @return 0 or more
     */
    public int heldPermits() {
        return holders.size();
    }

    /**
     * Whether a majority votes: answers, and has not lost its data within the last longest lease.
     *
     * @return whether it does
     */
    public boolean hasMajority() {
        return masters.stream()
                        .filter(master ->
                                master.isReachable() && master.quarantine().isZero())
                        .count()
                > masters.size() / 2;
    }

    /**
     * How many permits could be acquired if nobody waited. What is held beyond the number that a resize has left takes none of them.
     *
     * @return 0 or more
     */
    public int availablePermits() {
        if (!hasMajority()) return 0;
        long taken = holders.stream()
                .filter(holder -> holder.fencingToken() % SLOTS < permits)
                .count();
        return permits - (int) taken;
    }

    /**
     * One grant.
     *
     * @param client the public part of the client's id
     * @param label what the client calls itself
     * @param fencingToken the token of the grant
     * @param age time since the grant
     * @param remainingLease time until a majority has let it lapse if the client stays silent
     */
    public record Holder(String client, String label, long fencingToken, Duration age, Duration remainingLease) {}

    /**
     * One of the servers.
     *
     * @param address host and port
     * @param isReachable whether it has answered in time
     * @param quarantine how long it does not vote yet, because it was started anew or lost its data; zero if it votes
     */
    public record Master(String address, boolean isReachable, Duration quarantine) {}
}
