package io.signalbox.ledger.turns

import io.signalbox.internal.coordination.ClientSession
import io.signalbox.internal.coordination.Waiter
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionRecord
import io.signalbox.internal.memory.Executed
import io.signalbox.internal.memory.SessionState
import java.util.TreeMap

/** A claim that does not hold. */
internal class Violation(
    message: String,
) : AssertionError(message)

/**
 * Sees ledger and clients at once, and knows what none of them can know: the order in which acquires reached the ledger.
 *
 * The claims, numbered as in the protocol's description:
 * - C1 no more permits run than there are; after a resize down no more than were given before, falling with each release;
 * - C2 grants, be it by the ledger or inside a process, follow the order of the tickets over all clients, among living waiters;
 * - C3 tokens grow in that order, and over a loss of data if the clock is not behind;
 * - C4 nothing is lost: at rest what is held is what runs, and no permit is free while somebody waits;
 * - C7 whoever gives up leaves nothing behind.
 *
 * Sessions that a roll-back has touched are not looked at until their clients have begun new ones.
 */
internal class Truth(
    private val store: SimulatedStore,
    permits: Int,
) {
    var starts = 0
        private set

    private class Acquire(
        val ticket: Long,
    ) {
        var isAdmitted = false
        var isListed = false

        /** It can never be granted any more. */
        var isRefused = false
    }

    private val acquires = HashMap<String, Acquire>()
    private val tickets = HashMap<Long, Long>()
    private var lastTicket = 0L

    /** Tokens that were started, by ticket, since the state began; the largest ticket; the largest token before. */
    private val started = TreeMap<Long, Long>()
    private var largestToken = 0L
    private var largestBefore = 0L

    private val doubtful = HashSet<String>()

    /** How many permits may run. */
    private var most = permits

    private fun key(
        session: String,
        sequence: Long,
    ) = "$session/$sequence"

    // ---- what happens ------------------------------------------------------------------------------------------------------

    /** A session that ended can be begun again by an opening that comes late; nobody uses it. */
    fun opened(
        opening: Opening,
        opened: Opened,
    ) {
        if (opened is Opened.Joined && !begun.add(opening.session) &&
            store.state!!.sessions[opening.session] !== sessions[opening.session]
        ) {
            doubtful += opening.session
        }
        store.state?.sessions?.get(opening.session)?.let { sessions[opening.session] = it }
    }

    private val begun = HashSet<String>()
    private val sessions = HashMap<String, SessionState>()

    fun exchanged(
        simulation: Simulation,
        exchange: Exchange,
        before: SessionRecord?,
        executed: Executed,
    ) {
        bound()
        val answer = executed.answer as? Answer.Done ?: return
        val state = store.state!!
        val isNew = exchange.goodbye || before?.number == exchange.number - 1
        if (isNew && !exchange.goodbye) {
            var sequence = exchange.firstSequence
            var token = answer.firstToken
            exchange.acquires.forEachIndexed { index, run ->
                val granted = answer.granted[index]
                repeat(run.count) { nth ->
                    val acquire = Acquire(++lastTicket)
                    acquires[key(exchange.session, sequence)] = acquire
                    acquire.isRefused = granted == Answer.IMPOSSIBLE
                    if (nth < granted) {
                        admit(acquire, token++, run.isPlain)
                    }
                    sequence++
                }
            }
        }
        news(exchange.session, answer.unread)
        executed.announced.forEach { news(it.session, it.announcement.unread) }
        val turns = state.sessions.values.filter { it.record.admitted > it.record.passed }
        if (turns.isNotEmpty() &&
            turns.singleOrNull() !== state.turn
        ) {
            throw Violation("it is the turn of ${turns.map { it.id }}, says the ledger ${state.turn?.id}")
        }
        // A repetition changes nothing, and what an opening has freed since then is given by the next that does.
        if (isNew && !answer.more && store.isOpen() && state.turn != null &&
            state.permits > state.held
        ) {
            throw Violation(
                "C4: a turn, and ${state.permits - state.held} permits free after ${exchange.describe()}\n${simulation.describe()}",
            )
        }
    }

    private fun news(
        session: String,
        news: List<News>,
    ) {
        for (fact in news) {
            when (fact) {
                is News.Admitted -> repeat(fact.count) { admit(acquires[key(session, fact.sequence + it)], fact.token + it, plain = true) }
                is News.Granted -> repeat(fact.count) { admit(acquires[key(session, fact.sequence + it)], fact.token + it, plain = false) }
                is News.Revoked -> Unit
                is News.Refused -> repeat(fact.count) { acquires[key(session, fact.sequence + it)]?.isRefused = true }
            }
        }
    }

    private fun admit(
        acquire: Acquire?,
        token: Long,
        plain: Boolean,
    ) {
        acquire ?: return
        if (plain) acquire.isAdmitted = true else acquire.isListed = true
        tickets[token] = acquire.ticket
    }

    fun started(
        client: SimulatedClient,
        token: Long,
    ) {
        starts++
        val session = client.session ?: throw Violation("a start past the own deadline: $token of $client")
        if (!isKnown(session)) return
        val ticket = tickets[token] ?: throw Violation("C3: token $token was given to nobody")
        if (token <= largestBefore) throw Violation("C3: token $token is not above $largestBefore of before the loss")
        val earlier = started.floorEntry(ticket)
        val later = started.ceilingEntry(ticket)
        if (earlier?.key == ticket) throw Violation("ticket $ticket starts twice, with ${earlier.value} and $token")
        if ((earlier != null && earlier.value >= token) || (later != null && later.value <= token)) {
            throw Violation("C3: tokens against tickets: $token for $ticket, between $earlier and $later")
        }
        started[ticket] = token
        largestToken = maxOf(largestToken, token)
    }

    /** The data are lost. */
    fun forget(
        simulation: Simulation,
        clockIsBehind: Boolean,
    ) {
        largestBefore = if (clockIsBehind) 0 else maxOf(largestToken, largestBefore)
        started.clear()
        acquires.clear()
        tickets.clear()
        // By name and not by epoch: an opening that comes late can create a state of the same epoch again.
        simulation.clients.forEach { client -> client.session?.let { doubtful += it.id } }
        store.state?.sessions?.keys?.let { doubtful += it }
        most = Int.MAX_VALUE
    }

    fun rolledBack(
        simulation: Simulation,
        rollBack: () -> Unit,
    ) {
        store.state?.sessions?.keys?.let { doubtful += it }
        rollBack()
        store.state?.sessions?.keys?.let { doubtful += it }
        simulation.clients.forEach { client -> client.session?.let { doubtful += it.id } }
        forget(simulation, clockIsBehind = true)
    }

    // ---- what can be seen --------------------------------------------------------------------------------------------------

    private fun isKnown(session: ClientSession) = session.epoch == store.state?.epoch && session.id !in doubtful

    /** After each change: a resize up and one down again may come between two looks. */
    private fun bound() {
        val state = store.state ?: return
        most = maxOf(state.permits, minOf(if (most == Int.MAX_VALUE) state.held else most, state.held))
    }

    fun look(simulation: Simulation) {
        val state = store.state ?: return
        bound()
        var running = 0
        var largestGranted = if (started.isEmpty()) -1L else started.lastKey()
        var firstWaiting: Pair<Long, Waiter>? = null
        for (client in simulation.clients) {
            val session = client.session ?: continue
            if (!isKnown(session)) continue
            running += client.running
            val record = state.sessions[session.id]?.record?.takeIf { store.isAlive(session.id) }
                ?: throw Violation("$client believes in a session that is gone\n${simulation.describe()}")
            var spare = record.given - session.cohort.words.returned - session.cohort.running
            if (spare < 0) throw Violation("C1: $client runs more than it was given\n${simulation.describe()}")
            session.waiting.values.firstOrNull { it.state != Waiter.State.QUEUED }?.let {
                throw Violation("C7: no. ${it.sequence} is ${it.state} and kept among those who wait in $client\n${simulation.describe()}")
            }
            for (waiter in client.waiters(session)) {
                val acquire = acquires[key(session.id, waiter.sequence)] ?: continue
                when {
                    acquire.isRefused -> Unit

                    acquire.isListed -> largestGranted = maxOf(largestGranted, acquire.ticket)

                    acquire.isAdmitted && spare > 0 -> {
                        spare--
                        largestGranted = maxOf(largestGranted, acquire.ticket)
                    }

                    waiter.waits && acquire.ticket < (firstWaiting?.first ?: Long.MAX_VALUE) -> firstWaiting = acquire.ticket to waiter
                }
            }
        }
        if (running > most) throw Violation("C1: $running run, $most may\n${simulation.describe()}")
        if (firstWaiting != null && firstWaiting.first < largestGranted) {
            throw Violation(
                "C2: ticket ${firstWaiting.first} of ${firstWaiting.second.state} is overtaken by $largestGranted\n${simulation.describe()}",
            )
        }
    }

    fun lookAtRest(simulation: Simulation) {
        val state = store.state ?: return
        val running = simulation.clients.sumOf { it.running }
        val alive = state.sessions.values.filter { store.isAlive(it.id) }
        val held = alive.sumOf { session -> session.record.width.toInt() + session.listed.values.sumOf { it.weight } }
        if (running != held) throw Violation("C4: at rest $running run, and the ledger knows of $held\n${simulation.describe()}")
        val head = state.queue.values.firstOrNull { store.isAlive(it.session) }
        val free = state.permits - held
        val turn = state.turn?.takeIf { store.isAlive(it.id) }
        if (free > 0 &&
            turn != null
        ) {
            throw Violation("C4: at rest $free are free, and ${turn.label} has the turn\n${simulation.describe()}")
        }
        if (turn == null && head != null &&
            (head.isPlain || head.weight <= free)
        ) {
            throw Violation("C4: at rest $free are free, and $head waits\n${simulation.describe()}")
        }
        val waiting = simulation.clients.sumOf { it.waiting.size }
        if (free >= 3 && waiting > 0) throw Violation("C4: at rest $free are free, and $waiting acquires wait\n${simulation.describe()}")
        if (turn != null && simulation.clients.none { it.session?.id == turn.id && it.session!!.cohort.waits }) {
            throw Violation("C4: the turn of ${turn.label}, where nobody waits\n${simulation.describe()}")
        }
    }

    fun lookAtEnd(simulation: Simulation) {
        lookAtRest(simulation)
        simulation.clients.firstOrNull { !it.isIdle }?.let { throw Violation("C7: something is left of $it\n${simulation.describe()}") }
        val state = store.state ?: return
        for (session in state.sessions.values.filter { store.isAlive(it.id) }) {
            val record = session.record
            if (record.width != 0L || record.admitted != record.passed || record.passed != record.said || session.listed.isNotEmpty()) {
                throw Violation("C4: left at the end: ${session.label} $record\n${simulation.describe()}")
            }
        }
        state.queue.values.firstOrNull {
            store.isAlive(it.session)
        }?.let { throw Violation("C7: left in the queue: $it\n${simulation.describe()}") }
    }

    private fun Exchange.describe() =
        "$session no. $number${if (goodbye) ", goodbye" else ""}: $words, ${acquires.map {
            "${it.count}x${it.weight}"
        }}, back $releases, leaving $leaves, $commands"
}
