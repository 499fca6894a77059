package io.signalbox.internal.ledger

/** What became of an [Opening]. */
internal sealed interface Opened {
    data class Joined(
        val epoch: String,
        /** How many plain permits the new session holds: those that it put back, as far as they fitted. */
        val width: Int,
        /** Tokens of [Opening.listed] that are held under the new session now. */
        val listed: Set<Long>,
        val now: Long,
        val permits: Int,
        val declared: Declared,
        /** As stored: [Opening.longestMillis] of whoever created it. */
        val longestMillis: Long = 0,
    ) : Opened

    data class Mismatch(
        val declared: Declared,
    ) : Opened

    /** The state has a format that this build does not know; nothing was written. */
    data class Unreadable(
        val format: String,
    ) : Opened

    /** The semaphore allows leases up to [longestMillis]; nothing was written. */
    data class LeaseTooLong(
        val longestMillis: Long,
    ) : Opened

    /** The session's name was used before, and it is over or has exchanged since: begin another one. */
    data object Over : Opened

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
        /** Held permits right after something was given to the session's turn; [held] if nothing was. */
        val heldAfterGift: Int,
        /** Acquires in the queue at the end, dead ones included; those whose turn it is are in it no more. */
        val queued: Int,
        /** When to exchange again at the latest because a session or max hold may end then; -1 if nobody waits. */
        val next: Long,
        /** The work was cut short: exchange again at once. */
        val more: Boolean,
        /** Whether newcomers are served; not in quarantine. */
        val open: Boolean,
        /** How often the queue was lost; what was in it when this grew must queue again. */
        val queues: Long,
        /** The session as the ledger has it now. */
        val record: SessionRecord,
        /** Whether there is nobody whom an exchange of plain acquires and releases could concern but its own session. */
        val calm: Boolean,
        /** Per run of [Exchange.acquires]: how many were admitted (plain ones that wait) or granted (all others); [IMPOSSIBLE] if the weight can never fit. */
        val granted: List<Int>,
        /** Token of the first acquire of this exchange that was admitted or granted; the others follow without a gap. */
        val firstToken: Long,
        /** Held permits before the first of these. */
        val heldBefore: Int,
        /** Ticket of the first acquire queued here; the others follow without a gap. */
        val firstTicket: Long,
        /** What became of this session's queued waiters since its last exchange, in the order in which it happened. */
        val unread: List<News>,
        /** Per entry of [Exchange.releases], whether it was still held. */
        val released: List<Boolean>,
        /** Per entry of [Exchange.leaves], how many places of it were still in the queue. The others were admitted, granted or refused, or the queue was lost. */
        val left: List<Int>,
        /** Per entry of [Exchange.commands]: the new count, 1 for done, 0 for too late, or why not: [IMPOSSIBLE], [TOO_MANY], [FULL]. */
        val results: List<Int>,
    ) : Answer

    /** The session is unknown or over, or the state is another one than the session was begun at. */
    data class Lost(
        val reason: Reason,
        /** Of what was [Reason.DELETED]: the label of who did that. */
        val by: String = "",
    ) : Answer

    enum class Reason {
        /** Its lease ran out. */
        LAPSED,

        /** Somebody has ended the semaphore. */
        DELETED,

        /** There is no state, or one of another epoch: the store has lost its data. */
        DATA_LOST,
    }

    /** Number [last] is the last executed: an earlier exchange did not arrive, or the store lost what it had executed. */
    data class Gap(
        val last: Long,
    ) : Answer

    /** The number is older than the stored answers: nobody waits for this one any more. */
    data object Stale : Answer

    /** The words, or [Exchange.heard], contradict what the ledger knows: one of the two has lost something. Nothing was written. */
    data object Contradiction : Answer

    /** The state has a format that this build does not know; nothing was written. */
    data class Unreadable(
        val format: String,
    ) : Answer

    companion object {
        const val IMPOSSIBLE = -1
        const val TOO_MANY = -2
        const val FULL = -3

        /** [Done.queues] is what it was. */
        const val SAME = -1L
    }
}

/**
 * A session's numbers as the ledger keeps them. They only grow, [deadline] and [unread] aside.
 *
 * Width, what it holds by count, is [given] - [returned]; while [admitted] > [passed] it is the session's turn.
 */
internal data class SessionRecord(
    /** The last exchange executed. */
    val number: Long = 0,
    /** G: plain permits ever given. The ledger's. */
    val given: Long = 0,
    /** R: plain permits ever given back. The session's word. */
    val returned: Long = 0,
    /** K: plain waiters ever admitted. The ledger's. */
    val admitted: Long = 0,
    /** P: admitted waiters that were started or dropped. The ledger's own lower bound: it counts on when it gives. */
    val passed: Long = 0,
    /** T: while R is below it, nothing may be handed on. The ledger's. */
    val restrained: Long = 0,
    /** C: signals ever consumed, counted in R too. The session's word. */
    val consumed: Long = 0,
    /** X: how many of P were dropped. The session's word. */
    val dropped: Long = 0,
    /** The session's last word of P. */
    val said: Long = 0,
    val deadline: Long = 0,
    /** Whether there is something that the session has not read in an answer. */
    val unread: Boolean = false,
) {
    val width: Long get() = given - returned

    /** As the state hash has it; see `lua/common.lua`. */
    fun text(): String =
        "$number $given $returned $admitted $passed $restrained $consumed $dropped $said $deadline ${if (unread) 1 else 0}"
}

/** What became of queued waiters of a session, told in an answer to it or announced. */
internal sealed interface News {
    /** [count] plain waiters from [sequence] on have the tokens from [token] on and will be started in this order. */
    data class Admitted(
        val sequence: Long,
        val token: Long,
        val count: Int,
        /** To how many of them, the first ones, permits were given at that, and held permits, all clients, right after it. */
        val given: Int,
        val held: Int,
    ) : News

    /** [count] waiters from [sequence] on were granted listed permits with the tokens from [token] on. */
    data class Granted(
        val sequence: Long,
        val token: Long,
        val count: Int,
        /** Held permits, all clients, right after the last of them. */
        val held: Int,
        /** Server time of the grant. */
        val grantedAt: Long,
    ) : News

    /** The permit under [token] is to be given up. */
    data class Revoked(
        val token: Long,
        val by: String,
    ) : News

    /** [count] waiters from [sequence] on can never be granted what they wait for: there are not so many permits any more. */
    data class Refused(
        val sequence: Long,
        val count: Int,
    ) : News
}

/** What a ledger tells a session outside of its exchanges: a hint, complete enough to act on, that may be lost, doubled and late. */
internal data class Announcement(
    val epoch: String,
    val given: Long,
    val admitted: Long,
    val restrained: Long,
    /** Held permits, all clients, right after something was given to the session's turn. */
    val held: Int,
    /** As [Answer.Done.queued]. */
    val queued: Int,
    /** All that the session has not read, in order; the plain admissions end at [admitted]. */
    val unread: List<News>,
)
