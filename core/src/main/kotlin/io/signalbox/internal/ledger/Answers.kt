package io.signalbox.internal.ledger

/** What became of an [Opening]. */
internal sealed interface Opened {
    data class Joined(
        val epoch: String,
        /** Tokens of [Opening.reasserted] that are held under the new session now. */
        val reasserted: Set<Long>,
        val now: Long,
        val permits: Int,
        val declared: Declared,
    ) : Opened

    data class Mismatch(
        val declared: Declared,
    ) : Opened

    data object NotFound : Opened
}

/** What a semaphore was created with. */
internal data class Declared(
    val permits: Int,
    val bounded: Boolean,
)

/** What became of an [Exchange]. */
internal sealed interface Answer {
    /** It was executed, now or when it first arrived. Times in server milliseconds. */
    data class Done(
        val now: Long,
        val permits: Int,
        /** Held permits, all clients, at the end of the exchange. */
        val held: Int,
        /** Acquires in the queue at the end, dead ones included. */
        val queued: Int,
        /** When to exchange again at the latest because a session or max hold may end then; -1 if nobody waits. */
        val next: Long,
        /** The work was cut short: exchange again at once. */
        val more: Boolean,
        /** Whether newcomers are served; not in quarantine. */
        val open: Boolean,
        /** How often the queue was lost; what was in it when this grew must queue again. */
        val queues: Long,
        /** Per run of [Exchange.acquires], how many were granted, in order; [IMPOSSIBLE] if the weight can never fit. */
        val granted: List<Int>,
        /** Token of the first acquire granted at once; the others follow without a gap. */
        val firstToken: Long,
        /** Held permits before the first of these. */
        val heldBefore: Int,
        /** Ticket of the first acquire queued here; the others follow without a gap. */
        val firstTicket: Long,
        /** Grants to this session's queued waiters since its last exchange. A token of [REFUSED]: it can never fit. */
        val grants: List<Grant>,
        /** Per entry of [Exchange.heavyReleases], whether it was still held. */
        val released: List<Boolean>,
        /** Per entry of [Exchange.leaves], how many of its last places were still in the queue. Those before them were granted or refused, or the queue was lost. */
        val left: List<Int>,
        /** Per entry of [Exchange.commands]: the new count, 1 for done, 0 for too late, or why not: [IMPOSSIBLE], [TOO_MANY], [FULL]. */
        val results: List<Int>,
    ) : Answer

    /** The session is unknown or over. [epoch] is that of the state, empty if there is none. */
    data class Lost(
        val epoch: String,
    ) : Answer

    /** Number [last] is the last executed: an earlier exchange did not arrive, or the store lost what it had executed. */
    data class Gap(
        val last: Long,
    ) : Answer

    /** The number is older than the stored answers: nobody waits for this one any more. */
    data object Stale : Answer

    companion object {
        const val IMPOSSIBLE = -1
        const val TOO_MANY = -2
        const val FULL = -3
        const val REFUSED = 0L
    }
}

/**
 * Grants to waiters that had been queued: to those of [sequence] and following, with the tokens [token] and following. More than one
 * only if they are plain, and they are one run then.
 */
internal data class Grant(
    val sequence: Long,
    val token: Long,
    val count: Int,
    /** Held permits, all clients, right after the first of them. */
    val holders: Int,
    /** Server time of the grant. */
    val grantedAt: Long,
) {
    val sequences: LongRange get() = sequence until sequence + count
}
