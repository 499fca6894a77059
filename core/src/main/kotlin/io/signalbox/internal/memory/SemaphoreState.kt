package io.signalbox.internal.memory

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.Roster
import io.signalbox.internal.ledger.SessionRecord
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
    var declared: Int,
    var bounded: Boolean,
    /** Newcomers are granted nothing before this moment. */
    val quarantineUntil: Long,
    /** The longest lease that a session may have, or 0. */
    val longest: Long,
) {
    var permits: Int = declared

    /** Whether somebody has changed what is declared. */
    var isRedeclared: Boolean = false
    var ticket: Long = 0
    var fence: Long = 0

    /** Whose admitted waiters are served first: the one session whose admitted exceed its passed, or `null`. */
    var turn: SessionState? = null

    /** Grants that no living session's numbers tell: listed ones, and those of sessions that have ended. */
    var gone: Long = 0

    /** A lower bound of the next moment at which a session or a max hold ends. */
    var wake: Long = 0

    /** The largest time seen, and what was added to the server's clock to keep it from stepping back. */
    var clock: Long = 0
    var offset: Long = 0

    var retention: Long = 0

    /** When the kept signals of an event expire, ascending; [Long.MAX_VALUE] for never. */
    val signals: MutableList<Long> = ArrayList()

    /** How long [signals], and what is [kept], are to live: 0 if there are none, -1 for ever, else the moment. */
    var keep: Long = 0

    val sessions: MutableMap<String, SessionState> = HashMap()

    /** What was released before its minimum hold was over, by token: no session's, until its limit ends it. */
    val kept: TreeMap<Long, Listed> = TreeMap()

    /** By the first ticket. */
    val queue: TreeMap<Long, Queued> = TreeMap()
    val limits: TreeSet<HoldLimit> = TreeSet(compareBy<HoldLimit> { it.deadline }.thenBy { it.member })

    /** Places in [queue]. */
    val waiting: Int get() = queue.values.sumOf { it.count }

    /** What sessions hold by count. */
    val plain: Int get() = sessions.values.sumOf { it.record.width }.toInt()

    /** The weight of the permits that are listed one by one. */
    val listed: Int get() = kept.values.sumOf { it.weight } + sessions.values.sumOf { session -> session.listed.values.sumOf { it.weight } }

    val held: Int get() = plain + listed

    /** Whether only the session that exchanges can be concerned by an exchange of plain acquires and releases that fit. */
    fun isCalm(now: Long): Boolean =
        turn == null && queue.isEmpty() && listed == 0 && now >= quarantineUntil && keep == 0L && offset == 0L

    /** How many acquires were granted since the state was created. */
    val grants: Long get() = gone + sessions.values.sumOf { it.record.passed - it.record.dropped }

    /** When the state may be forgotten if nobody asks for it any more. */
    fun expiresAt(now: Long): Long = if (keep < 0) Long.MAX_VALUE else maxOf(now + retention, keep)
}

/** One client's presence, alive while its deadline is ahead. What it holds and what it has not read live and die with it. */
internal class SessionState(
    val id: String,
    val label: String,
    var inbox: String,
    val lease: Long,
    var record: SessionRecord,
    /** Whether it can be told that a permit is revoked. */
    val hearsOrders: Boolean,
) {
    val listed: TreeMap<Long, Listed> = TreeMap()

    /** What others' exchanges did for it since its last one. */
    val unread: MutableList<News> = ArrayList()
    val answers: MutableMap<Long, Answer.Done> = HashMap(4)
    var roster: Roster = Roster.NONE

    val deadline: Long get() = record.deadline
}

internal class Listed(
    /** A session, or a [io.signalbox.internal.ledger.keeperOf]. */
    val owner: String,
    val grant: ListedGrant,
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
