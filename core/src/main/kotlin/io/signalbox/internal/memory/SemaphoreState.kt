package io.signalbox.internal.memory

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.isPlain
import java.util.TreeMap
import java.util.TreeSet

/**
 * All a store knows about one semaphore: the data of [execute], [open] and [snapshotOf], which decide.
 *
 * The in-memory counterpart of the keys of the Redis backend (see `lua/common.lua`), kept as plain collections so that the
 * rules can be read without Redis; the property tests hold the scripts against it.
 */
internal class SemaphoreState(
    val epoch: String,
    val declared: Int,
    val bounded: Boolean,
    /** Newcomers are granted nothing before this moment. */
    val quarantineUntil: Long,
) {
    var permits: Int = declared
    var ticket: Long = 0
    var fence: Long = 0

    /** How many acquires were granted since the state was created. */
    var grants: Long = 0

    /** A lower bound of the next moment at which a session or a max hold ends. */
    var wake: Long = 0

    /** The largest time seen, and what was added to the server's clock to keep it from stepping back. */
    var clock: Long = 0
    var offset: Long = 0

    var retention: Long = 0

    /** When the kept signals of an event expire, ascending; [Long.MAX_VALUE] for never. */
    val signals: MutableList<Long> = ArrayList()

    /** How long [signals] are to be kept: 0 if there are none, -1 for ever, else the moment. */
    var keep: Long = 0

    /** When the state may be forgotten if nobody asks for it any more. */
    fun expiresAt(now: Long): Long = if (keep < 0) Long.MAX_VALUE else maxOf(now + retention, keep)
    val sessions: MutableMap<String, SessionState> = HashMap()

    /** By the first ticket. */
    val queue: TreeMap<Long, Queued> = TreeMap()
    val waiting: Int get() = queue.values.sumOf { it.count }
    val limits: TreeSet<HoldLimit> = TreeSet(compareBy<HoldLimit> { it.deadline }.thenBy { it.member })

    /** Held permits, all sessions. */
    val heldWeight: Int get() = sessions.values.sumOf { session -> session.held.values.sumOf { it.weight } }
}

/** One client's presence, alive while [deadline] is ahead. Its grants and its unread grants live and die with it. */
internal class SessionState(
    val id: String,
    val label: String,
    var inbox: String,
    val lease: Long,
    var deadline: Long,
) {
    var number: Long = 0
    val held: TreeMap<Long, Held> = TreeMap()

    /** Grants that the client has not read, by sequence number. */
    val unclaimed: TreeMap<Long, Grant> = TreeMap()
    val answers: MutableMap<Long, Answer.Done> = HashMap(4)
}

internal class Held(
    val owner: String,
    val grant: HeavyGrant,
) {
    var limit: HoldLimit? = null
    val weight: Int get() = grant.weight
}

/** [count] waiters of a session that are alike, with sequence numbers and tickets without a gap. */
internal data class Queued(
    val session: String,
    val sequence: Long,
    val count: Int,
    val weight: Int,
    val holdMillis: Long,
    /** Server time of joining the queue. */
    val since: Long,
) {
    val isPlain: Boolean get() = isPlain(weight, holdMillis)

    /** Those from the [from]th to the one before the [to]th, or `null` if that is nobody. */
    fun part(
        from: Int,
        to: Int,
    ): Queued? = if (from >= to) null else copy(sequence = sequence + from, count = to - from)
}

internal class HoldLimit(
    val deadline: Long,
    val session: String,
    val token: Long,
    weight: Int,
) {
    val member: String = "$session:$token:$weight"
}

/** A grant to a waiter of another session, to be announced at [inbox]. */
internal class Announced(
    val inbox: String,
    val session: String,
    val grant: Grant,
)
