package io.signalbox.quorum

import kotlin.time.Duration

/** Who holds and who waits at one semaphore of a quorum, as a majority of the masters says. Made by [QuorumSemaphore.snapshot]. */
public class QuorumSnapshot internal constructor(
    /** The name of the semaphore. */
    public val name: String,
    /** The count the semaphore was created with. */
    public val declaredPermits: Int,
    /** The current count. */
    public val permits: Int,
    /** How many acquires wait in the queues of the masters, of all clients; of one client at most as many as there are permits. */
    public val waiting: Int,
    /** What a majority keeps, by slot. What only a minority does is about to be given up or put back, and nobody's. */
    public val holders: List<Holder>,
    /** In the order of the addresses. */
    public val masters: List<Master>,
) {
    /** How many permits are held. */
    public val heldPermits: Int get() = holders.size

    /** Whether a majority votes: answers, and has not lost its data within the last longest lease. */
    public val hasMajority: Boolean get() = masters.count { it.isReachable && it.quarantine == Duration.ZERO } > masters.size / 2

    /** How many permits could be acquired if nobody waited. What is held beyond the number that a resize has left takes none of them. */
    public val availablePermits: Int
        get() = if (hasMajority) permits - holders.count { it.fencingToken % QuorumSemaphore.MAX_PERMITS < permits } else 0

    /** One grant. */
    public class Holder internal constructor(
        /** The public part of the client's id; the rest of it is a secret. */
        public val client: String,
        /** What the client calls itself, see [QuorumSettings.label]. */
        public val label: String,
        /** The token of the grant. */
        public val fencingToken: Long,
        /** Time since the grant. */
        public val age: Duration,
        /** Time until a majority has let it lapse if the client stays silent. */
        public val remainingLease: Duration,
    ) {
        override fun toString(): String =
            "Holder(client=$client, label=$label, fencingToken=$fencingToken, age=$age, remainingLease=$remainingLease)"
    }

    /** One of the servers. */
    public class Master internal constructor(
        /** Host and port. */
        public val address: String,
        /** Whether it has answered in time. */
        public val isReachable: Boolean,
        /** How long it does not vote yet, because it was started anew or lost its data; zero if it votes. */
        public val quarantine: Duration,
    ) {
        override fun toString(): String = "Master(address=$address, isReachable=$isReachable, quarantine=$quarantine)"
    }

    override fun toString(): String =
        "QuorumSnapshot(name=$name, permits=$permits, heldPermits=$heldPermits, waiting=$waiting, holders=$holders, masters=$masters)"
}
