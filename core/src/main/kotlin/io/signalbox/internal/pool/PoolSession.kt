package io.signalbox.internal.pool

/**
 * A client's presence at a pool: one lease key, on which all its permits there depend. Guarded by the coordinator's lock.
 *
 * ```
 *  begun ── confirmed before beginAt + 7/8 lease ──▶ established ── not confirmed in time ──▶ over
 *    └── not confirmed by then ──▶ over
 * ```
 *
 * The key is made by whatever arrives first of the session, and can lapse before anything is confirmed: so what confirms it counts only as
 * long as not even the earliest key can have lapsed. An id is never used again once the session is over: a command of it that arrives late
 * revives the key for a lease, and nobody acts on that.
 */
internal class PoolSession(
    val id: String,
) {
    /** Until when, by the client's clock, its permits are certainly not given to anybody else. */
    @Volatile
    var deadline: Long = Long.MIN_VALUE

    /** Whether the server has confirmed the lease once; from then on it is only prolonged, never made anew. */
    var isEstablished: Boolean = false

    /** When its first round was sent for the first time. */
    var beginAt: Long = Long.MAX_VALUE

    val held: LinkedHashSet<PoolPermit> = LinkedHashSet()
}
