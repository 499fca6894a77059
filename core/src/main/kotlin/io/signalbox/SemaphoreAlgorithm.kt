package io.signalbox

/** How the clients of a semaphore agree with the server on who holds. Set by [SemaphoreSettings.algorithm]. */
public sealed interface SemaphoreAlgorithm {
    /** Scripts, one queue for all processes. The default, and what the documentation of [Semaphore] describes. */
    public data object Queue : SemaphoreAlgorithm

    /**
     * A pool of tokens in a Redis list, taken by LPOP and BLPOP: no script on the way of any acquire or release, so it works for users
     * and servers without scripting.
     *
     * Guaranteed as by [Queue]: at most that many unexpired permits at any instant of the server, fencing tokens that grow from grant
     * to grant, permits of a crashed process free again after one lease, loss of a lease heard of before the server can give the permit
     * away, a cancelled acquire leaves nothing behind. Different from [Queue]:
     *
     * - Acquires of one client are served in their order. Between processes Redis serves the clients blocked on the list in the order in
     *   which they blocked, and a client blocks anew for every permit; there is no other promise, and a newcomer may be served first.
     * - The token of a grant is larger than that of every grant that somebody was told before this acquire began, in whatever process. Two
     *   acquires at the same time may be told in the other order.
     * - Dead holders are found by whoever waits, or tries in vain, when their leases end; by one who waited before a holder with a shorter lease
     *   came, up to 2 s later (10 s in the largest pools).
     * - At the server's memory limit nothing can be acquired, a release takes effect when there is memory again, and what is held stays held.
     * - 1 to [MAX_PERMITS] permits; [Semaphore.resize] may also close it with 0.
     * - Waiters of other processes are not visible: the queue of a snapshot, and [Semaphore.isLocked], know those of this client only.
     * - An acquire of several permits gathers them one by one. One acquire in all processes does so at a time; those that wait for it to end
     *   look again up to five times a second. Two [Semaphore.tryAcquire] at the same moment may refuse each other.
     * - A max hold is enforced by the holder's client; if that is dead or frozen, its permits are free when the lease ends.
     * - After a loss of data permits are lost at once instead of being put back.
     * - One blocking connection for each contended pool in a client, closed some seconds after the last wait.
     *
     * A pool and a queue semaphore of the same name are different semaphores with different keys. Within one client a name has one
     * algorithm: asking for it with the other one fails.
     *
     * @property initStrategy how this client creates the pool if it does not exist; clients with different strategies get along. Ignored
     *   by [Signalbox.attach], which never creates.
     */
    public class Pool(
        public val initStrategy: InitStrategy = InitStrategy.LUA,
    ) : SemaphoreAlgorithm {
        override fun equals(other: Any?): Boolean = other is Pool && other.initStrategy == initStrategy

        override fun hashCode(): Int = initStrategy.hashCode()

        override fun toString(): String = "Pool($initStrategy)"

        public companion object {
            /** The most permits of one pool: 4096. */
            public const val MAX_PERMITS: Int = 4096
        }
    }
}

/** How a client creates a [SemaphoreAlgorithm.Pool]. Whatever is chosen, and whoever dies half-way, the pool has its exact count. */
public enum class InitStrategy {
    /** One script. The only script a pool can ask for; needs the right to EVAL. */
    LUA,

    /** WATCH, MULTI, EXEC, repeated if somebody else was first. Needs a connection of its own for that moment. */
    OPTIMISTIC_LOCKING,

    /** A key set by SET NX with an expiry names the one client that creates; the others wait for it, or for the expiry (2 s). */
    SETNX,
}
