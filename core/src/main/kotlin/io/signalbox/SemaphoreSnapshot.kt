package io.signalbox

import kotlin.time.Duration

/** Who holds and who waits at one semaphore, at one instant of the server. Made by [Semaphore.snapshot]. */
public class SemaphoreSnapshot internal constructor(
    /** The name of the semaphore. */
    public val name: String,
    /** The count the semaphore was created with. */
    public val declaredPermits: Int,
    /** The current count. */
    public val permits: Int,
    /** How many permits are held, by all clients. */
    public val heldPermits: Int,
    /** How many acquires are in the queue, by all clients; those of clients that died recently may be among them. */
    public val queueLength: Int,
    /** How many acquires the server has granted since the semaphore was created. */
    public val grants: Long,
    /** The grants, in no particular order; at most as many as asked for. */
    public val holders: List<Holder>,
    /** The live waiters from the head of the queue on; at most as many as asked for. */
    public val queue: List<Waiter>,
) {
    /** How many permits could be acquired if nobody waited. */
    public val availablePermits: Int get() = (permits - heldPermits).coerceAtLeast(0)

    /** One grant. */
    public class Holder internal constructor(
        /** The public part of the client's id; the rest of it is a secret. */
        public val client: String,
        /** What the client calls itself, see [SignalboxSettings.label]. */
        public val label: String,
        /** The token of the grant. */
        public val fencingToken: Long,
        /** How many permits the grant holds. */
        public val permits: Int,
        /** Time since the grant, read off the token; zero while the server's clock is behind the tokens. */
        public val age: Duration,
        /** Time until the server frees the permit if the client stays silent; of one that [is kept][isKept], until it is free. */
        public val remainingLease: Duration,
        /** Time until the max hold; `null` without one. Of one that [is kept][isKept], until it is free. */
        public val remainingHold: Duration?,
        /** Whether it was released, and its minimum hold keeps it from others. Its client may be gone. */
        public val isKept: Boolean = false,
        /** A secret: whoever knows it can speak for the client. */
        internal val session: String = "",
    ) {
        override fun toString(): String =
            "Holder(client=$client, label=$label, fencingToken=$fencingToken, permits=$permits, age=$age, remainingLease=$remainingLease)"
    }

    /** One acquire in the queue. */
    public class Waiter internal constructor(
        /** The public part of the client's id; the rest of it is a secret. */
        public val client: String,
        /** What the client calls itself, see [SignalboxSettings.label]. */
        public val label: String,
        /** 1 for the head of the queue. */
        public val position: Int,
        /** How many permits it waits for. */
        public val permits: Int,
        /** Time since it joined the queue. */
        public val age: Duration,
        /** Time until the server drops it if its client stays silent. */
        public val remainingLease: Duration,
    ) {
        override fun toString(): String =
            "Waiter(client=$client, label=$label, position=$position, permits=$permits, age=$age, remainingLease=$remainingLease)"
    }

    override fun toString(): String =
        "SemaphoreSnapshot(name=$name, permits=$permits, heldPermits=$heldPermits, queueLength=$queueLength, holders=$holders, queue=$queue)"
}
