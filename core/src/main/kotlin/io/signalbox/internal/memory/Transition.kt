package io.signalbox.internal.memory

import io.signalbox.Semaphore
import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.QueueRun
import kotlin.math.max
import kotlin.math.min

/** An executed exchange: its answer, and what to tell others. */
internal class Executed(
    val answer: Answer,
    val announced: List<Announced> = emptyList(),
)

/**
 * Executes [exchange] on this state at server time [micros]; the specification of `lua/exchange.lua`, step by step in the same
 * order. [bound] limits the work per kind.
 */
internal fun SemaphoreState.execute(
    exchange: Exchange,
    micros: Long,
    bound: Int,
): Executed {
    val now = readClock(micros)
    val session = sessions[exchange.session]
    val last = session?.number ?: 0
    return when {
        session == null || session.deadline <= now -> Executed(Answer.Lost(epoch))
        exchange.goodbye -> Transition(this, session, exchange, now, micros, bound).run()
        exchange.number == last || exchange.number == last - 1 -> Executed(session.answers[exchange.number % 2] ?: Answer.Stale)
        exchange.number < last -> Executed(Answer.Stale)
        exchange.number > last + 1 -> Executed(Answer.Gap(last))
        else -> Transition(this, session, exchange, now, micros, bound).run()
    }
}

/** The semaphore's own clock: the server's, except that it never steps back. */
internal fun SemaphoreState.readClock(micros: Long): Long = max(micros / 1000 + offset, clock)

internal fun SemaphoreState.keepClock(now: Long, micros: Long) {
    offset = now - micros / 1000
    clock = now
}

/**
 * Takes away what session [id] holds, at most [most] grants, and then the session. Its places in the queue stay and are dropped
 * at the head. Returns the number of grants taken; if that is [most], call again.
 */
internal fun SemaphoreState.drop(
    id: String,
    most: Int,
): Int {
    val session = sessions.getValue(id)
    val taken = session.held.entries.take(most)
    taken.forEach { (_, held) -> held.limit?.let(limits::remove) }
    taken.map { it.key }.forEach(session.held::remove)
    if (taken.size < most) sessions.remove(id)
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
    private val grants = mutableListOf<Grant>()
    private val announced = mutableListOf<Announced>()
    private var more = false
    private var held = 0
    private var nextToken = 0L

    fun run(): Executed {
        state.keepClock(now, micros)
        renew()
        if (state.wake <= now) expire()
        exchange.releases.tokens().forEach { token -> release(token) }
        // Nothing new, unless they were lost: their holder says that it holds them.
        exchange.releases.left.flatMap { it.tokens }.forEach { token ->
            session.held.getOrPut(token) { Held(session.id, HeavyGrant(token, weight = 1)) }
        }
        val released = exchange.heavyReleases.map { release(it.token, it.weight) }
        val left = exchange.leaves.map(::leave)
        expireSignals()
        val results = exchange.commands.map(::command)
        if (!exchange.goodbye) readUnclaimed()

        held = state.heldWeight
        nextToken = max(state.fence + 1, micros)
        val before = nextToken
        grantToQueue()
        val firstToken = nextToken
        val heldBefore = held
        val firstTicket = state.ticket + 1
        val granted = acquire()
        if (nextToken > before) state.fence = nextToken - 1
        state.grants += nextToken - before
        if (state.permits == 0) state.keep = 0

        val waiting = state.waiting
        val answer =
            Answer.Done(
                now = now,
                permits = state.permits,
                held = held,
                queued = waiting,
                next = if (waiting == 0) {
                    -1
                } else if (open) {
                    state.wake
                } else {
                    min(state.wake, state.quarantineUntil)
                },
                more = more,
                open = open,
                queues = 0,
                granted = granted,
                firstToken = firstToken,
                heldBefore = heldBefore,
                firstTicket = firstTicket,
                grants = grants.toList(),
                released = released,
                left = left,
                results = results,
            )
        if (!exchange.goodbye) session.answers[exchange.number % 2] = answer
        return Executed(answer, announced)
    }

    private val open get() = now >= state.quarantineUntil

    private fun renew() {
        if (exchange.goodbye) {
            session.deadline = now
            state.wake = now
            return
        }
        session.number = exchange.number
        session.inbox = exchange.inbox
        // In steps of 1/16 lease, because a renewal costs the Redis backend a command.
        if ((now + session.lease - session.deadline) * 16 >= session.lease) session.deadline = now + session.lease
    }

    private fun expire() {
        var left = bound
        while (left > 0) {
            val dead = state.sessions.values.filter { it.deadline <= now }.minWithOrNull(compareBy({ it.deadline }, { it.id })) ?: break
            left -= max(state.drop(dead.id, left), 1)
        }
        if (left > 0) {
            val over = state.limits.takeWhile { it.deadline <= now }.take(left)
            over.forEach {
                state.limits.remove(it)
                state.sessions.getValue(it.session).held.remove(it.token)
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

    /** Whether [token] was held. Heavy grants are only released as what they are. */
    private fun release(
        token: Long,
        heavyWeight: Int? = null,
    ): Boolean {
        val held = session.held[token] ?: return false
        val heavy = held.weight != 1 || held.limit != null
        if (heavy != (heavyWeight != null) || (heavy && held.weight != heavyWeight)) return false
        session.held.remove(token)
        held.limit?.let(state.limits::remove)
        return true
    }

    /** Cuts the places out of the runs they are in, and returns how many were. The others, at the front, are in the queue no more. */
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
                val left = min(state.permits, state.heldWeight)
                dropSignals(left, state.signals.size)
                (state.permits - left).also { state.permits = left }
            }

            is Command.Consume -> {
                state.permits = max(0, state.permits - command.signals)
                dropSignals(0, command.signals)
                state.permits
            }

            is Command.Extend -> extend(command)
        }

    private fun signal(command: Command.Signal): Int {
        if (state.permits - state.heldWeight >= command.most) return Answer.FULL
        state.permits++
        state.ticket++
        state.signals += if (command.keepMillis < 0) Long.MAX_VALUE else now + command.keepMillis
        state.signals.sort()
        state.keep = if (command.keepMillis < 0 || state.keep < 0) -1 else max(state.keep, now + command.keepMillis)
        return 1
    }

    /** Signals that were kept too long. Those that were granted count as the oldest, and those that this exchange consumes as granted. */
    private fun expireSignals() {
        if (state.keep == 0L) return
        val over = state.signals.count { it <= now }
        val granted = state.heldWeight + ((exchange.commands.firstOrNull() as? Command.Consume)?.signals ?: 0)
        if (over <= granted) return
        dropSignals(granted, over)
        state.permits = max(0, state.permits - (over - granted))
    }

    private fun dropSignals(
        from: Int,
        to: Int,
    ) {
        if (from < state.signals.size) state.signals.subList(from, min(to, state.signals.size)).clear()
    }

    private fun extend(command: Command.Extend): Int {
        val held = session.held[command.grant.token] ?: return 0
        val old = held.limit ?: return 0
        if (held.weight != command.grant.weight) return 0
        state.limits.remove(old)
        limit(held, now + command.holdMillis)
        return 1
    }

    private fun limit(
        held: Held,
        deadline: Long,
    ) {
        val limit = HoldLimit(deadline, session = held.owner, token = held.grant.token, weight = held.weight)
        held.limit = limit
        state.limits.add(limit)
        state.wake = min(state.wake, deadline)
    }

    private fun readUnclaimed() {
        val read = session.unclaimed.entries.take(bound)
        grants += read.map { it.value }
        if (read.size == bound) more = true
        read.map { it.key }.forEach(session.unclaimed::remove)
    }

    private fun grantToQueue() {
        var left = bound
        while (open && left > 0 && held < state.permits) {
            val (ticket, head) = state.queue.firstEntry() ?: break
            val owner = state.sessions[head.session]?.takeIf { it.deadline > now }
            var taken = min(head.count, left)
            when {
                owner == null -> Unit
                head.weight > max(state.permits, 1) -> tell(owner, Grant(head.sequence, Answer.REFUSED, taken, held, now))
                else -> {
                    taken = min(taken, (state.permits - held) / head.weight)
                    if (taken <= 0) return
                    grant(owner, head, taken)
                }
            }
            state.queue.remove(ticket)
            head.part(taken, head.count)?.let { state.queue[ticket + taken] = it }
            left -= taken
        }
        if (left <= 0) more = true
    }

    /** Plain ones are told as one run. */
    private fun grant(
        owner: SessionState,
        head: Queued,
        count: Int,
    ) {
        val facts =
            List(count) { nth ->
                val token = grant(owner, head.weight, head.holdMillis)
                Grant(head.sequence + nth, token, count = 1, held, now)
            }
        if (head.isPlain) tell(owner, facts.first().copy(count = count)) else facts.forEach { tell(owner, it) }
    }

    private fun tell(
        owner: SessionState,
        grant: Grant,
    ) {
        if (owner === session) {
            grants += grant
        } else {
            owner.unclaimed[grant.sequence] = grant
            announced += Announced(owner.inbox, owner.id, grant)
        }
    }

    private fun grant(
        owner: SessionState,
        weight: Int,
        holdMillis: Long,
    ): Long {
        val token = nextToken++
        val entry = Held(owner.id, HeavyGrant(token, weight))
        owner.held[token] = entry
        if (holdMillis >= 0) limit(entry, now + holdMillis)
        held += weight
        return token
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
        val fitting = if (state.queue.isEmpty() && open) max(0, (state.permits - held) / run.weight) else 0
        val taken = min(run.count, fitting)
        repeat(taken) { grant(session, run.weight, run.holdMillis) }
        if (run.waits) {
            val queued = Queued(session.id, first, run.count, run.weight, run.holdMillis, now).part(taken, run.count)
            if (queued != null) {
                state.queue[state.ticket + 1] = queued
                state.ticket += queued.count
            }
        }
        return taken
    }
}
