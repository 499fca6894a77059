package io.signalbox

import kotlin.time.Duration

/** What one semaphore is used for, at one instant of the server. Made by [Signalbox.statistics]. */
public class SemaphoreStatistics internal constructor(
    /** The name of the semaphore. */
    public val name: String,
    /** The current count. */
    public val permits: Int,
    /** How many permits are held, by all clients. */
    public val heldPermits: Int,
    /** How many acquires wait, by all clients; those of clients that died recently may be among them. */
    public val waiting: Int,
    /** How long the head of the queue has been waiting, or `null` if nobody waits. */
    public val oldestWaiterAge: Duration?,
    /** How many acquires have been granted since the semaphore was created. */
    public val grants: Long,
) {
    /** Held permits as a part of the count: 1.0 if all are held, more after [Semaphore.resize] has taken some away. */
    public val usage: Double get() = if (permits == 0) (if (heldPermits > 0) 1.0 else 0.0) else heldPermits.toDouble() / permits

    override fun toString(): String =
        "SemaphoreStatistics(name=$name, permits=$permits, heldPermits=$heldPermits, waiting=$waiting, " +
            "oldestWaiterAge=$oldestWaiterAge, grants=$grants)"
}
