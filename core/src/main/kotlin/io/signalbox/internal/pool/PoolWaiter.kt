package io.signalbox.internal.pool

import kotlinx.coroutines.CancellableContinuation

/** One acquire that has not ended. Guarded by the coordinator's lock. */
internal class PoolWaiter(
    val weight: Int,
    /** False for a try, which is refused instead of waiting. */
    val waits: Boolean,
    /** Max hold, or -1. */
    val holdMillis: Long,
    /** When it was asked for, by the client's clock. */
    val since: Long,
    val continuation: CancellableContinuation<PoolPermit?>,
) {
    var isDone: Boolean = false

    /** Whether the server has said, since it asked, that it has to wait: then it does so through outages as well. */
    var isQueued: Boolean = false

    /** Whether a try has had dead holders looked for. */
    var hasLooked: Boolean = false

    /** Slots that an acquire of several has got so far. Only the head has any. */
    val gathered: ArrayList<Claim> = ArrayList(0)
}
