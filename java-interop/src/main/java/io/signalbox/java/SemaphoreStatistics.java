package io.signalbox.java;

import java.time.Duration;
import java.util.Optional;

/**
 * What one semaphore is used for, at one instant of the server.
 *
 * @param name the name of the semaphore
 * @param permits the current count
 * @param heldPermits how many permits are held, by all clients
 * @param waiting how many acquires wait, by all clients; those of clients that died recently may be among them
 * @param oldestWaiterAge how long the head of the queue has been waiting; empty if nobody waits
 * @param grants how many acquires have been granted since the semaphore was created
 */
public record SemaphoreStatistics(
        String name, int permits, int heldPermits, int waiting, Optional<Duration> oldestWaiterAge, long grants) {
    /**
     * Held permits as a part of the count: 1.0 if all are held, more after a resize has taken some away.
     *
     * @return 0.0 or more
     */
    public double usage() {
        if (permits == 0) return heldPermits > 0 ? 1.0 : 0.0;
        return (double) heldPermits / permits;
    }
}
