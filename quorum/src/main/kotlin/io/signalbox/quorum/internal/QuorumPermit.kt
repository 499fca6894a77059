package io.signalbox.quorum.internal

import io.signalbox.internal.coordination.LeasedPermit
import io.signalbox.internal.coordination.PermitKeeper
import io.signalbox.quorum.internal.ballot.Step
import io.signalbox.quorum.internal.ballot.Vote
import io.signalbox.quorum.internal.master.Request

/** A slot that a majority of masters keeps for this client. Its mutable state is guarded by the coordinator's lock. */
internal class QuorumPermit(
    keeper: PermitKeeper<QuorumPermit>,
    masters: Int,
    val bid: String,
    granted: Step.Granted,
    token: Long,
    holders: Int,
    grantedAt: Long,
) : LeasedPermit<QuorumPermit>(keeper, token, holders, limited = false, grantedAt) {
    override val self: QuorumPermit get() = this
    override val permits: Int get() = 1

    val slot: Int = granted.slot

    /** What its masters know: its place in the order of grants. */
    val fence: Long = granted.fence
    private val majority = masters / 2 + 1

    /** Under which each master has it, or would have it put back. */
    private val owners = Array(masters) { Request.owner(bid, granted.number + 1) }

    /** Until when each master keeps it at least, by this client's clock. */
    private val kept = LongArray(masters) { Long.MIN_VALUE }

    @Volatile
    private var deadline = Long.MIN_VALUE

    /** Which masters have confirmed, or refused, its return. */
    val returned: Array<Boolean?> = arrayOfNulls(masters)

    /** When its return is said again to those that have not answered. */
    var repeatAt: Long = Long.MAX_VALUE
    var repetitions: Int = 0
    var isConfirmed: Boolean = false

    init {
        granted.votes.forEach(::add)
    }

    /** As long as a majority keeps it. */
    val validUntil: Long get() = deadline
    override val sessionDeadline: Long get() = deadline

    /** The last moment at which any master may still keep it. */
    val lastKept: Long get() = kept.max()

    fun owner(master: Int): String = owners[master]

    fun isKeptBy(
        master: Int,
        now: Long,
    ): Boolean = kept[master] > now

    fun add(vote: Vote) {
        owners[vote.master] = Request.owner(bid, vote.number)
        keep(vote.master, vote.validUntil)
    }

    /** [master] has renewed it, or keeps the slot for somebody else; [owner] is what it was asked for. */
    fun renewed(
        master: Int,
        owner: String,
        isHeld: Boolean,
        until: Long,
    ) {
        if (owner != owners[master]) return
        if (isHeld) keep(master, maxOf(until, kept[master])) else keep(master, Long.MIN_VALUE)
    }

    private fun keep(
        master: Int,
        until: Long,
    ) {
        kept[master] = until
        deadline = kept.sortedArrayDescending()[majority - 1]
    }
}
