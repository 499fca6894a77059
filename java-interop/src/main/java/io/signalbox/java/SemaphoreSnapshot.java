package io.signalbox.java;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Who holds and who waits at one semaphore, at one instant of the server.
 *
 * @param name the name of the semaphore
 * @param declaredPermits the count the semaphore was created with
 * @param permits the current count
 * @param heldPermits how many permits are held, by all clients
 * @param queueLength how many acquires are in the queue, by all clients; those of clients that died recently may be among them
 * @param grants how many acquires the server has granted since the semaphore was created
 * @param holders the grants, in no particular order; at most as many as asked for
 * @param queue the live waiters from the head of the queue on; at most as many as asked for
 */
public record SemaphoreSnapshot(
        String name,
        int declaredPermits,
        int permits,
        int heldPermits,
        int queueLength,
        long grants,
        List<Holder> holders,
        List<Waiter> queue) {
    /**
     * Makes a snapshot; for tests of what is done with snapshots.
     *
     * @param name the name of the semaphore
     * @param declaredPermits the count the semaphore was created with
     * @param permits the current count
     * @param heldPermits how many permits are held
     * @param queueLength how many acquires are in the queue
     * @param grants how many acquires were granted
     * @param holders the grants; copied
     * @param queue the waiters; copied
     */
    public SemaphoreSnapshot {
        holders = List.copyOf(holders);
        queue = List.copyOf(queue);
    }

    /**
     * How many permits could be acquired if nobody waited.
     *
     * @return 0 or more
     */
    public int availablePermits() {
        return Math.max(0, permits - heldPermits);
    }

    /**
     * One grant.
     *
     * @param client the public part of the client's id
     * @param label what the client calls itself
     * @param fencingToken the token of the grant
     * @param permits how many permits the grant holds
     * @param age time since the grant; zero while the server's clock is behind the tokens
     * @param remainingLease time until the server frees the permit if the client stays silent; of one that is kept, until it is free
     * @param remainingHold time until the max hold; empty without one. Of one that is kept, until it is free
     * @param isKept whether it was released, and its minimum hold keeps it from others; its client may be gone
     */
    public record Holder(
            String client,
            String label,
            long fencingToken,
            int permits,
            Duration age,
            Duration remainingLease,
            Optional<Duration> remainingHold,
            boolean isKept) {}

    /**
     * One acquire in the queue.
     *
     * @param client the public part of the client's id
     * @param label what the client calls itself
     * @param position 1 for the head of the queue
     * @param permits how many permits it waits for
     * @param age time since it joined the queue
     * @param remainingLease time until the server drops it if its client stays silent
     */
    public record Waiter(
            String client, String label, int position, int permits, Duration age, Duration remainingLease) {}
}
