package io.signalbox.internal.memory

import io.signalbox.Semaphore
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.ListedRelease
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.QueueRun
import io.signalbox.internal.ledger.Roster
import io.signalbox.internal.ledger.SessionRecord
import io.signalbox.internal.ledger.Words
import io.signalbox.internal.ledger.isKeeper
import io.signalbox.internal.ledger.keeperOf
import kotlin.math.max
import kotlin.math.min

/** An executed exchange: its answer, and what to tell others. */
internal class Executed(
    val answer: Answer,
    val announced: List<Announced> = emptyList(),
    val summoned: List<Summoned> = emptyList(),
)

/** What to tell the client of [session] at [inbox]. */
internal class Announced(
    val inbox: String,
    val session: String,
    val announcement: Announcement,
)

/** The client of [session] at [inbox] is to exchange: there is something that it is to hear in an answer. */
internal class Summoned(
    val inbox: String,
    val session: String,
)

/**
 * Executes [exchange] on this state at server time [micros]; the specification of `lua/exchange/`, step by step in the same
 * order and under the same names. [bound] limits the work per kind.
 */
internal fun SemaphoreState.execute(
    exchange: Exchange,
    micros: Long,
    bound: Int,
): Executed {
    val now = readClock(micros)
    val session = sessions[exchange.session]
    val record = session?.record
    val anyEpoch = exchange.goodbye && exchange.epoch.isEmpty()
    return when {
        exchange.epoch != epoch && !anyEpoch -> Executed(Answer.Lost(Answer.Reason.DATA_LOST))

        record == null || (record.deadline <= now && !exchange.goodbye) -> Executed(Answer.Lost(Answer.Reason.LAPSED))

        exchange.goodbye -> Transition(this, session, exchange, now, micros, bound).run()

        exchange.number == record.number || exchange.number == record.number - 1 ->
            Executed(session.answers[exchange.number % 2] ?: Answer.Stale)

        exchange.number < record.number -> Executed(Answer.Stale)

        exchange.number > record.number + 1 -> Executed(Answer.Gap(record.number))

        exchange.words.contradict(record) || !session.hasAnswered(exchange) -> Executed(Answer.Contradiction)

        else -> Transition(this, session, exchange, now, micros, bound).run()
    }
}

/** Whether they cannot follow what [record] says: numbers only grow, and none is larger than what it is a part of. */
internal fun Words.contradict(record: SessionRecord): Boolean =
    returned > record.given || returned < record.returned ||
        passed > record.admitted || passed < record.said ||
        consumed > returned || consumed < record.consumed ||
        dropped > passed || dropped < record.dropped

/** Whether the answer that [exchange] makes room for is the one that its client has heard. */
private fun SessionState.hasAnswered(exchange: Exchange): Boolean =
    exchange.heard < 0 || answers[exchange.number % 2]?.now == exchange.heard

/** The semaphore's own clock: the server's, except that it never steps back. */
internal fun SemaphoreState.readClock(micros: Long): Long = max(micros / 1000 + offset, clock)

internal fun SemaphoreState.keepClock(now: Long, micros: Long) {
    offset = now - micros / 1000
    clock = now
}

/**
 * Takes away what [session] has listed, at most [most] permits, and then the session with all it holds by count. Its places in the
 * queue stay and are dropped at the head. Returns the number of listed permits taken; if that is [most], call again.
 */
internal fun SemaphoreState.end(
    session: SessionState,
    most: Int,
): Int {
    val taken = session.listed.entries.take(most)
    taken.forEach { (_, listed) -> listed.limit?.let(limits::remove) }
    taken.map { it.key }.forEach(session.listed::remove)
    if (taken.size < most) {
        gone += session.record.said - session.record.dropped
        sessions.remove(session.id)
        if (turn === session) turn = null
    }
    return taken.size
}

private class Transition(
    private val state: SemaphoreState,
    private val session: SessionState,
    private val exchange: Exchange,
    private val now: Long,
    private val micros: Long,
    private val bound: Int,
) {
    private val unread = mutableListOf<News>()

    /** Others that have something to hear, in the order in which it began to concern them. */
    private val concerned = LinkedHashSet<SessionState>()

    /** Held permits, all clients, right after what was given to a turn. */
    private val heldAfter = HashMap<SessionState, Int>()
    private val orders = mutableListOf<Pair<SessionState, News.Revoked>>()

    /** Whether something that was released is kept. */
    private var hasKept = false
    private var more = false
    private var nextToken = 0L
    private val open get() = now >= state.quarantineUntil
    private val free get() = state.permits - state.held

    fun run(): Executed {
        state.keepClock(now, micros)
        // What a minimum hold has kept is free. Of an event the signals say it.
        if (state.keep in 1..now && state.signals.isEmpty()) state.keep = 0
        val record = session.record
        if (!exchange.goodbye || (exchange.epoch.isNotEmpty() && !exchange.words.contradict(record))) words()
        val released = exchange.releases.map { release(it) }
        if (exchange.goodbye) session.record = session.record.copy(deadline = now) else renew()
        if (exchange.goodbye || state.wake <= now) expire()
        val left = exchange.leaves.map(::leave)
        expireSignals()
        val results = exchange.commands.map(::command)
        if (!exchange.goodbye) readUnread()
        orders.forEach { (to, order) -> tell(to, order) }

        nextToken = max(state.fence + 1, micros)
        val before = nextToken
        give()
        val firstToken = nextToken
        val heldBefore = state.held
        val firstTicket = state.ticket + 1
        val granted = acquire()
        if (nextToken > before) state.fence = nextToken - 1
        if (state.permits == 0 && state.listed == 0) state.keep = 0
        restrain()
        return answer(firstToken, heldBefore, firstTicket, granted, released, left, results)
    }

    private fun answer(
        firstToken: Long,
        heldBefore: Int,
        firstTicket: Long,
        granted: List<Int>,
        released: List<Boolean>,
        left: List<Int>,
        results: List<Int>,
    ): Executed {
        val waits = state.queue.isNotEmpty() || state.turn != null
        val answer =
            Answer.Done(
                now = now,
                permits = state.permits,
                held = state.held,
                heldAfterGift = heldAfter[session] ?: state.held,
                queued = state.waiting,
                next = if (!waits) {
                    -1
                } else if (open) {
                    state.wake
                } else {
                    min(state.wake, state.quarantineUntil)
                },
                more = more,
                open = open,
                queues = 0,
                record = session.record,
                calm = state.isCalm(now),
                granted = granted,
                firstToken = firstToken,
                heldBefore = heldBefore,
                firstTicket = firstTicket,
                unread = unread.toList(),
                released = released,
                left = left,
                results = results,
            )
        if (!exchange.goodbye) session.answers[exchange.number % 2] = answer
        return Executed(answer, concerned.filter { it !== session }.map(::announced), summoned().map { Summoned(it.inbox, it.id) })
    }

    /** Who waits is to ask when what is kept will be free. Those further behind in the queue hear of it with their next heartbeat. */
    private fun summoned(): Set<SessionState> {
        if (!hasKept) return emptySet()
        val waiting = listOfNotNull(state.turn) + state.queue.values.take(MOST_SUMMONED).mapNotNull { state.sessions[it.session] }
        return waiting.filterTo(LinkedHashSet()) { it !== session && it.deadline > now }
    }

    private fun announced(to: SessionState): Announced =
        Announced(
            to.inbox,
            to.id,
            to.record.run {
                Announcement(state.epoch, given, admitted, restrained, heldAfter[to] ?: state.held, state.waiting, to.unread.toList())
            },
        )

    /** Takes the session at its word: what it gave back is free, and its turn ends with its last admitted waiter. */
    private fun words() {
        val record = session.record
        val words = exchange.words
        val used = (words.consumed - record.consumed).toInt()
        state.permits = max(0, state.permits - used)
        if (state.keep != 0L) dropSignals(0, used)
        session.record =
            record.copy(
                returned = words.returned,
                passed = max(record.passed, words.passed),
                dropped = words.dropped,
                consumed = words.consumed,
                said = words.passed,
            )
        exchange.roster?.let { session.roster = it }
        endTurn()
    }

    private fun endTurn() {
        val turn = state.turn ?: return
        if (turn.record.passed == turn.record.admitted) state.turn = null
    }

    private fun renew() {
        val record = session.record
        session.inbox = exchange.inbox
        // In steps of 1/16 lease, because a renewal costs the Redis backend a command.
        val due = (now + session.lease - record.deadline) * 16 >= session.lease
        session.record = record.copy(number = exchange.number, deadline = if (due) now + session.lease else record.deadline)
    }

    /** Ends sessions and max holds that are over; a goodbye ends its own. */
    private fun expire() {
        var left = bound
        while (left > 0) {
            val dead = state.sessions.values.filter { it.deadline <= now }.minWithOrNull(compareBy({ it.deadline }, { it.id })) ?: break
            left -= max(state.end(dead, left), 1)
        }
        if (left > 0) {
            val over = state.limits.takeWhile { it.deadline <= now }.take(left)
            over.forEach {
                state.limits.remove(it)
                (state.sessions[it.session]?.listed ?: state.kept).remove(it.token)
            }
            left -= over.size
        }
        more = left <= 0
        state.wake =
            if (more) {
                now
            } else {
                val default = now + session.lease
                min(state.sessions.values.minOfOrNull { it.deadline } ?: default, state.limits.firstOrNull()?.deadline ?: default)
            }
    }

    /** Whether the listed permit was held. Before its minimum hold is over it is the session's no more, and free later. */
    private fun release(release: ListedRelease): Boolean {
        val grant = release.grant
        val listed = session.listed[grant.token]?.takeIf { it.weight == grant.weight } ?: return false
        session.listed.remove(grant.token)
        listed.limit?.let(state.limits::remove)
        if (release.keptUntil > now) keep(grant, release.keptUntil)
        return true
    }

    /** Lists it for an owner that is no session, with a limit, which ends it. The state lives as long, though nobody may use it. */
    private fun keep(
        grant: ListedGrant,
        until: Long,
    ) {
        val kept = Listed(keeperOf(session.id, session.label), grant)
        state.kept[grant.token] = kept
        state.limit(kept, until)
        if (state.keep >= 0) state.keep = max(state.keep, until)
        hasKept = true
    }

    /** Cuts the places out of the runs they are in, and returns how many were. The others are in the queue no more. */
    private fun leave(places: QueueRun): Int {
        val end = places.ticket + places.count
        val hit =
            state.queue.headMap(end).filter { (ticket, queued) ->
                queued.session == session.id &&
                    ticket + queued.count > places.ticket &&
                    queued.sequence - ticket == places.sequence - places.ticket
            }
        return hit.entries.sumOf { (ticket, queued) ->
            val from = (max(places.ticket, ticket) - ticket).toInt()
            val to = (min(end, ticket + queued.count) - ticket).toInt()
            state.queue.remove(ticket)
            queued.part(0, from)?.let { state.queue[ticket] = it }
            queued.part(to, queued.count)?.let { state.queue[ticket + to] = it }
            to - from
        }
    }

    private fun command(command: Command): Int =
        when (command) {
            is Command.Resize -> {
                state.permits = command.permits
                command.permits
            }

            is Command.Redeclare -> {
                state.permits = command.permits
                state.declared = command.permits
                state.isRedeclared = true
                command.permits
            }

            is Command.Revoke -> revoke(command)

            is Command.Enforce -> enforce(command)

            is Command.AddPermits ->
                when {
                    state.bounded -> Answer.IMPOSSIBLE
                    state.permits.toLong() + command.permits > Semaphore.MAX_PERMITS -> Answer.TOO_MANY
                    else -> {
                        state.permits += command.permits
                        state.permits
                    }
                }

            is Command.Signal -> signal(command)

            is Command.Clear -> {
                val left = min(state.permits, state.held)
                dropSignals(left, state.signals.size)
                (state.permits - left).also { state.permits = left }
            }

            is Command.Extend -> extend(command)
        }

    /** Who holds what is to be revoked, as far as the ledger knows. */
    private fun holder(
        name: String,
        token: Long,
        weight: Int,
    ): SessionState? =
        state.sessions[name]?.takeIf {
            it.deadline > now && (if (weight == 0) it.record.width > 0 else it.listed[token]?.weight == weight)
        }

    private fun revoke(command: Command.Revoke): Int {
        if (isKeeper(command.session)) return revokeKept(command)
        val holder = holder(command.session, command.token, command.weight) ?: return 0
        if (holder === session || holder.hearsOrders) orders += holder to News.Revoked(command.token, command.by)
        return 1
    }

    /** There is nobody to be told. */
    private fun revokeKept(command: Command.Revoke): Int {
        val kept = state.kept[command.token]?.takeIf { it.owner == command.session && it.weight == command.weight } ?: return 0
        state.kept.remove(command.token)
        kept.limit?.let(state.limits::remove)
        return 1
    }

    /** Nobody ends itself by that: it has heard the order. */
    private fun enforce(command: Command.Enforce): Int {
        val holder = holder(command.session, command.token, command.weight)?.takeIf { it !== session } ?: return 0
        if (command.weight == 0) {
            state.end(holder, Int.MAX_VALUE)
            orders.removeAll { it.first === holder }
        } else {
            holder.listed.remove(command.token)?.limit?.let(state.limits::remove)
        }
        return 1
    }

    private fun signal(command: Command.Signal): Int {
        if (state.permits - state.held >= command.most) return Answer.FULL
        state.permits++
        state.ticket++
        state.signals += if (command.keepMillis < 0) Long.MAX_VALUE else now + command.keepMillis
        state.signals.sort()
        state.keep = if (command.keepMillis < 0 || state.keep < 0) -1 else max(state.keep, now + command.keepMillis)
        return 1
    }

    /** Signals that were kept too long. Those that are on their way to somebody count as the oldest. */
    private fun expireSignals() {
        if (state.keep == 0L) return
        val over = state.signals.count { it <= now }
        val held = state.held
        if (over <= held) return
        dropSignals(held, over)
        state.permits = max(0, state.permits - (over - held))
    }

    private fun dropSignals(
        from: Int,
        to: Int,
    ) {
        if (from < state.signals.size) state.signals.subList(from, min(to, state.signals.size)).clear()
    }

    private fun extend(command: Command.Extend): Int {
        val listed = session.listed[command.grant.token] ?: return 0
        if (listed.limit == null || listed.weight != command.grant.weight) return 0
        state.limit(listed, now + command.holdMillis)
        return 1
    }

    private fun readUnread() {
        unread += session.unread
        session.unread.clear()
        session.record = session.record.copy(unread = false)
    }

    /**
     * Gives what is free: to the turn first, then to the head of the queue, and so on. The head is admitted before anything is free, as
     * a whole, so that its own process can hand on to all of it.
     */
    private fun give() {
        var left = bound
        while (open && left > 0) {
            val turn = state.turn?.takeIf { it.deadline > now }
            if (turn != null) {
                val given = min(free.toLong(), turn.record.admitted - turn.record.passed)
                widen(turn, given)
                if (given > 0) heldAfter[turn] = state.held
            } else {
                state.turn = null
            }
            val (ticket, head) = state.queue.firstEntry() ?: break
            // Who is next is the turn's own as well: it joins those before it, and passes by nobody.
            if (state.turn != null && !(head.isPlain && head.session == turn?.id)) break
            val owner = state.sessions[head.session]?.takeIf { it.deadline > now }
            var taken = head.count
            when {
                owner == null -> left--

                head.weight > max(state.permits, 1) -> {
                    left--
                    tell(owner, News.Refused(head.sequence, taken))
                }

                head.isPlain -> {
                    left--
                    val before = state.held
                    val first = admit(owner, taken, head.since)
                    tell(owner, News.Admitted(head.sequence, first, taken, state.held - before, state.held))
                }

                else -> {
                    taken = minOf(taken, left, free / head.weight)
                    if (taken <= 0) break
                    left -= taken
                    val first = list(owner, taken, head.weight, head.holdMillis)
                    tell(owner, News.Granted(head.sequence, first, taken, state.held, now))
                }
            }
            state.queue.remove(ticket)
            head.part(taken, head.count)?.let { state.queue[ticket + taken] = it }
        }
        if (left <= 0) more = true
    }

    /** Gives [owner] some permits more, by count. */
    private fun widen(
        owner: SessionState,
        count: Long,
    ) {
        if (count > 0) {
            owner.record = owner.record.run { copy(given = given + count, passed = passed + count) }
            concerned += owner
        }
        endTurn()
    }

    /** Admits [count] plain waiters and gives them what is free. Returns the first token. */
    private fun admit(
        owner: SessionState,
        count: Int,
        since: Long,
    ): Long {
        val first = nextToken
        nextToken += count
        owner.record = owner.record.run { copy(admitted = admitted + count) }
        concerned += owner
        val given = free.coerceIn(0, count)
        if (given < count && state.turn !== owner) {
            state.turn = owner
            owner.roster = owner.roster.copy(waitingSince = since)
        }
        if (given > 0) {
            widen(owner, given.toLong())
            owner.roster = owner.roster.run { copy(running = running + Roster.Running(first, given, now)) }
        }
        return first
    }

    /** Grants [count] permits of [weight], listed one by one. Returns the first token. */
    private fun list(
        owner: SessionState,
        count: Int,
        weight: Int,
        holdMillis: Long,
    ): Long {
        val first = nextToken
        repeat(count) {
            val listed = Listed(owner.id, ListedGrant(nextToken++, weight))
            owner.listed[listed.grant.token] = listed
            if (holdMillis >= 0) state.limit(listed, now + holdMillis)
        }
        state.gone += count
        return first
    }

    private fun tell(
        owner: SessionState,
        news: News,
    ) {
        if (owner === session) {
            unread += news
        } else {
            owner.unread += news
            owner.record = owner.record.copy(unread = true)
            concerned += owner
        }
    }

    private fun acquire(): List<Int> {
        var sequence = exchange.firstSequence
        return exchange.acquires.map { run ->
            val first = sequence
            sequence += run.count
            if (run.weight > max(state.permits, 1)) Answer.IMPOSSIBLE else acquire(run, first)
        }
    }

    private fun acquire(
        run: AcquireRun,
        first: Long,
    ): Int {
        val served = open && state.queue.isEmpty() && (state.turn == null || (state.turn === session && run.isPlain && run.waits))
        val taken =
            when {
                !served -> 0
                run.isPlain && run.waits -> run.count
                else -> min(run.count, max(0, free / run.weight))
            }
        if (taken > 0) {
            if (run.isPlain) admit(session, taken, now) else list(session, taken, run.weight, run.holdMillis)
        }
        if (run.waits) {
            val queued = Queued(session.id, first, run.count, run.weight, run.holdMillis, now).part(taken, run.count)
            if (queued != null) {
                state.queue[state.ticket + 1] = queued
                state.ticket += queued.count
            }
        }
        return taken
    }

    /** After a resize down, the turn gives back before it hands on. */
    private fun restrain() {
        val turn = state.turn?.takeIf { it.deadline > now } ?: return
        val excess = state.held - state.permits
        if (excess <= 0) return
        val record = turn.record
        val restrained = max(record.restrained, record.returned + min(record.width, excess.toLong()))
        if (restrained == record.restrained) return
        turn.record = record.copy(restrained = restrained)
        concerned += turn
    }

    private companion object {
        const val MOST_SUMMONED = 100
    }
}
