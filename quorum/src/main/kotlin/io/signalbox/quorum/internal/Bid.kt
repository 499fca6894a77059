package io.signalbox.quorum.internal

import io.signalbox.quorum.internal.ballot.Ballot
import kotlinx.coroutines.CancellableContinuation

/** A [Ballot] and who is to have what it gets: [waiter], or with `null` whoever is the first to wait in this client at that time. */
internal class Bid(
    val ballot: Ballot,
    val waiter: QuorumWaiter?,
) {
    /** What it got. */
    var permit: QuorumPermit? = null
}

/** An acquire that has not ended. Guarded by the coordinator's lock. */
internal class QuorumWaiter(
    /** By the client's clock. */
    val since: Long,
    val continuation: CancellableContinuation<QuorumPermit?>,
)
