package io.signalbox.history

import java.util.TreeMap
import kotlin.math.max

/**
 * Replays the audit log of one semaphore through a reference of its own, and collects every broken promise.
 *
 * - never more permits given than there are: by count and listed, at any instant;
 * - tokens only grow, in the order in which waiters are admitted or granted;
 * - nobody is admitted, granted or given anything before a smaller ticket that still waits, in the queue or admitted; nobody whose session is
 *   over is; and never more is given than waiters were admitted;
 * - an exchange is executed once, in its order, and only with words that can be true;
 * - nobody's session, permit or place is taken away before its lease, or its hold, is over, and what is kept is free when that is over, or revoked;
 * - no exchange ends with a free permit and somebody waiting for it, with a head of the queue that could have the turn, with two turns, or
 *   with too many permits and a turn that may hand them on;
 * - nothing is left at the end ([finish]).
 *
 * No work is cut short, and nothing is in quarantine. A session's last renewal is only known to 1/16 of its lease. Moments are those of the
 * semaphore's own clock, which is the server's except that it never steps back.
 *
 * If the server [mayForget], the log has forgotten with it: it is that of what came of the state in the end. The semaphore may be created
 * again, and holders may put themselves back.
 */
internal class AuditCheck(
    private val name: String,
    private var permits: Int,
    private val mayForget: Boolean = false,
) {
    private class Place(
        val session: String,
        val sequence: Long,
        val weight: Int,
        val holdMillis: Long,
    ) {
        val isPlain get() = weight == 1 && holdMillis < 0

        override fun toString() = "$session/$sequence"
    }

    val violations = mutableListOf<String>()

    /** Every token that a waiter was admitted or granted with, and its session. */
    val granted = TreeMap<Long, String>()

    /** How many waiters were admitted or granted out of the queue. */
    var fromQueue = 0
        private set

    /** How many permits the ledger itself gave; the others were handed on. */
    var given = 0L
        private set

    /** When something was given to each session. */
    val gifts = HashMap<String, MutableList<Long>>()

    /** What each session's client calls itself. */
    val labels = HashMap<String, String>()

    private val sessions = HashMap<String, SessionTrace>()
    private val ended = HashSet<String>()

    /** Those whose admitted waiters are not all served: one at most, the turn. */
    private val waiting = LinkedHashSet<SessionTrace>()
    private val queue = TreeMap<Long, Place>()
    private val tickets = HashMap<String, Long>()
    private val limits = HashMap<String, Long>()

    /** What was released and is kept, by its token. */
    private val kept = HashMap<Long, Kept>()

    private class Kept(
        val weight: Int,
        val until: Long,
    )

    private var lastTicket = 0L
    private var held = 0L
    private var created = 0
    private var startedAndOver = 0L

    /** Of the script that is being replayed: its call, and whether it was an exchange that was executed. */
    private var call: AuditEvent? = null
    private var executed = false

    /** How many waiters have been started, or granted what is listed, as far as their sessions have said. */
    val started: Long get() = startedAndOver + sessions.values.sumOf { it.started }

    /** The label of the client whose session was granted [token]. */
    fun ownerOf(token: Long): String? = granted[token]?.let(labels::get)

    private var clock = 0L
    private var offset = 0L
    private var begun = 0L

    fun replay(events: Iterable<AuditEvent>): AuditCheck = apply { events.forEach { apply(it.byOwnClock()) } }

    /** By the clock of the semaphore. It reads that of the server once in a call, and forgets the reading of one that changed nothing. */
    private fun AuditEvent.byOwnClock(): AuditEvent {
        if (what == "open" || what == "exchange") {
            begun = micros
        } else {
            if (begun + offset < clock) offset = clock - begun
            clock = begun + offset
        }
        val now = maxOf(micros + offset, clock)
        return if (now == micros) this else AuditEvent(now, by, what, words)
    }

    /** At the end nobody holds and nobody waits. */
    fun finish(): AuditCheck = apply {
        endOfScript()
        if (created != 1 && !mayForget) report("created $created times")
        for (session in sessions.values) {
            if (session.width != 0L) report("leaked: ${session.width} permits of ${session.name} are still held at the end")
            session.listed.keys.forEach { report("leaked: permit $it of ${session.name} is still held at the end") }
            if (session.waits) report("leaked: it is still the turn of ${session.name} at the end")
        }
        kept.keys.forEach { report("leaked: permit $it is still kept at the end") }
        queue.forEach { (ticket, place) -> report("leaked: place $place, ticket $ticket, is still in the queue at the end") }
    }

    private fun apply(event: AuditEvent) {
        val words = event.words
        when (event.what) {
            "open", "exchange" -> begin(event)
            "created" -> created(event)
            "begun" -> begun(event, width = words[1].toLong())
            "words" -> said(event, words.drop(1))
            "fast" -> fast(event, count = words[1].toInt(), first = words[2].toLong())
            "given" -> given(event, words[0], words[1].toLong())
            "admitted" -> admitted(event, words[0], words[1].toLong(), words[2].toLong(), words[3].toInt())
            "granted" -> listed(event)
            "queued" -> queued(event)
            "returned" -> returned(event, token = words[1].toLong())
            "kept" -> kept(event, token = words[1].toLong(), until = words[3].toLong() * 1000)
            "extended" -> limits[words[0]] = event.micros + words[1].toLong() * 1000
            // A label may have blanks.
            "overheld" -> overheld(event, words.joinToString(" "))
            "revoked" -> take(event, words.joinToString(" "))
            "reasserted" -> reasserted(event, words[0])
            "restrained" -> sessions[words[0]]?.restrained = words[1].toLong()
            "resized" -> permits = words[0].toInt()
            "ended" -> ended(event, words[0])
            "left" -> left(event, words[0], first = words[1].toLong(), count = words[2].toInt())
            else -> report("$event: not expected here")
        }
    }

    // ---- scripts -----------------------------------------------------------------------------------------------------------

    private fun begin(event: AuditEvent) {
        endOfScript()
        call = event
        executed = false
        if (event.what != "open") return
        labels[event.by] = event.words[0]
        sessions[event.by]?.openedAgain(event.micros)
    }

    /** An opening leaves it to the next exchange to give what it has freed. */
    private fun endOfScript() {
        val before = call?.takeIf { executed } ?: return
        for (session in sessions.values.filter { it.passed > it.admitted }) {
            report("$before: ${session.name} was given ${session.passed - session.admitted} permits more than it has waiters")
            session.forgetSurplus()
        }
        val turns = turns(before)
        if (turns.size > 1) report("$before: it is the turn of ${turns.joinToString { it.name }} at once")
        val turn = turns.firstOrNull()
        val free = permits - held
        if (turn != null) {
            if (free > 0) report("$before: $held of $permits permits are held after it, and ${turn.name}, whose turn it is, waits")
            if (free < 0 && turn.restrained < turn.restraint(excess = -free)) {
                report("$before: $held of $permits permits are held after it, and ${turn.name} may hand on all of them")
            }
            return
        }
        val head = queue.firstEntry()?.value ?: return
        if (head.isPlain || head.weight <= free || head.weight > max(permits, 1)) {
            report("$before: $held of $permits permits are held after it, it is nobody's turn, and $head waits")
        }
    }

    private fun created(event: AuditEvent) {
        if (++created > 1 && !mayForget) report("$event: the data were lost")
        startedAndOver = started
        sessions.clear()
        waiting.clear()
        queue.clear()
        tickets.clear()
        limits.clear()
        kept.clear()
        lastTicket = 0
        held = 0
        permits = event.words[1].toInt()
    }

    private fun begun(
        event: AuditEvent,
        width: Long,
    ) {
        if (sessions[event.by] != null) report("$event: it was there already")
        ended -= event.by
        sessions[event.by] = SessionTrace(event.by, call!!.words[1].toLong() * 1000, event.micros, width)
        hold(event, width)
        if (width != 0L && !mayForget) report("$event: put back although no data were lost")
    }

    private fun reasserted(
        event: AuditEvent,
        member: String,
    ) {
        if (!mayForget) report("$event: put back although no data were lost")
        val (session, token, weight) = member.split(':')
        val owner = living(event, session) ?: return
        owner.listed[token.toLong()] = weight.toInt()
        hold(event, weight.toLong())
        // The log does not say until when.
        limits[member] = 0
    }

    private fun said(
        event: AuditEvent,
        words: List<String>,
    ) {
        executed = true
        val session = sessions[event.by] ?: return report("$event: executed for a session that is not there")
        val (number, goodbye) = call!!.words
        if (session.mustBeOver(event.micros)) report("$event: executed for a session silent for a lease")
        if (goodbye == "0") {
            if (number.toLong() != session.number + 1) report("$event: number $number executed after ${session.number}")
            session.executed(number.toLong(), event.micros)
        }
        val (returned, consumed) = session.say(words.map(String::toLong)) ?: return report("$event: cannot be true")
        held -= returned
        permits = max(0, permits - consumed.toInt())
        judge(session)
    }

    /** Words, and acquires that are all granted at once, because nobody else is there. */
    private fun fast(
        event: AuditEvent,
        count: Int,
        first: Long,
    ) {
        said(event, event.words.drop(3))
        if (queue.isNotEmpty() || turns(event).isNotEmpty()) report("$event: passes by whoever waits")
        if (count == 0) return
        admitted(event, event.by, sequence = -1, first, count)
        given(event, event.by, count.toLong())
    }

    /**
     * Those whose turn it is. Nothing is owed to a session that is over, though it may still be in the index of deadlines: an exchange that was
     * refused half-way has renewed it there, and nowhere else.
     */
    private fun turns(event: AuditEvent) = waiting.filterNot { it.mustBeOver(event.micros) }

    private fun judge(session: SessionTrace) {
        if (session.waits) waiting += session else waiting -= session
    }

    // ---- getting something -------------------------------------------------------------------------------------------------

    private fun living(
        event: AuditEvent,
        session: String,
    ): SessionTrace? {
        val owner = sessions[session]
        when {
            owner == null -> report("$event: for a session that is not there")
            owner.mustBeOver(event.micros) -> report("$event: for a session silent for a lease")
        }
        return owner
    }

    private fun hold(
        event: AuditEvent,
        weight: Long,
    ) {
        held += weight
        if (weight > 0 && held > permits) report("$event: $held of $permits permits held")
    }

    private fun given(
        event: AuditEvent,
        session: String,
        count: Long,
    ) {
        val owner = living(event, session) ?: return
        turns(event).firstOrNull { it !== owner }?.let { report("$event: passes by ${it.name}, whose turn it is") }
        owner.give(count)
        hold(event, count)
        given += count
        gifts.getOrPut(session) { mutableListOf() } += event.micros
        judge(owner)
    }

    private fun admitted(
        event: AuditEvent,
        session: String,
        sequence: Long,
        first: Long,
        count: Int,
    ) {
        takePlaces(event, session, sequence, count)
        newTokens(event, session, first, count)
        val owner = living(event, session) ?: return
        turns(event).firstOrNull { it !== owner }?.let { report("$event: passes by ${it.name}, whose turn it is") }
        owner.admit(count.toLong())
        judge(owner)
    }

    private fun listed(event: AuditEvent) {
        val (session, sequence, first, count, weight) = event.words
        takePlaces(event, session, sequence.toLong(), count.toInt())
        newTokens(event, session, first.toLong(), count.toInt())
        turns(event).firstOrNull()?.let { report("$event: passes by ${it.name}, whose turn it is") }
        val owner = living(event, session) ?: return
        val holdMillis = event.words[5].toLong()
        repeat(count.toInt()) { nth ->
            val token = first.toLong() + nth
            owner.listed[token] = weight.toInt()
            hold(event, weight.toLong())
            if (holdMillis >= 0) limits["$session:$token:$weight"] = event.micros + holdMillis * 1000
        }
        startedAndOver += count.toLong()
    }

    private fun newTokens(
        event: AuditEvent,
        session: String,
        first: Long,
        count: Int,
    ) {
        if (granted.isNotEmpty() && first <= granted.lastKey()) report("$event: token not larger than ${granted.lastKey()}")
        repeat(count) { granted[first + it] = session }
    }

    /** They are the first in the queue, or it is empty. */
    private fun takePlaces(
        event: AuditEvent,
        session: String,
        sequence: Long,
        count: Int,
    ) {
        repeat(count) { nth ->
            val ticket = tickets.remove("$session/${sequence + nth}")
            if (ticket != null) {
                queue.remove(ticket)
                fromQueue++
            }
            val first = queue.firstEntry()
            if (first != null && (ticket == null || first.key < ticket)) {
                report("$event: passes by ${first.value}, which waits with ticket ${first.key}")
            }
        }
    }

    private fun queued(event: AuditEvent) {
        val (session, sequence, ticket, count, weight) = event.words
        living(event, session)
        repeat(count.toInt()) { nth ->
            val place = Place(session, sequence.toLong() + nth, weight.toInt(), event.words[5].toLong())
            val next = ticket.toLong() + nth
            if (next <= lastTicket) report("$event: ticket not larger than $lastTicket")
            lastTicket = next
            queue[next] = place
            tickets["$place"] = next
        }
    }

    // ---- losing something --------------------------------------------------------------------------------------------------

    private fun returned(
        event: AuditEvent,
        token: Long,
    ) {
        val weight = sessions[event.by]?.listed?.remove(token) ?: return report("$event: it does not hold that")
        held -= weight
    }

    /** It is nobody's, and held all the same. */
    private fun kept(
        event: AuditEvent,
        token: Long,
        until: Long,
    ) {
        val weight = sessions[event.by]?.listed?.remove(token) ?: return report("$event: it does not hold that")
        kept[token] = Kept(weight, until)
        if (event.micros >= until) report("$event: kept although its minimum hold is over")
    }

    private fun overheld(
        event: AuditEvent,
        member: String,
    ) {
        val limit = if (' ' in member) kept[tokenOf(member)]?.until else limits[member]
        if (limit == null || event.micros < limit - SessionTrace.SLACK_MICROS) report("$event: taken before its hold is over, at $limit")
        take(event, member)
    }

    private fun take(
        event: AuditEvent,
        member: String,
    ) {
        val token = tokenOf(member)
        val weight = if (' ' in member) kept.remove(token)?.weight else sessions[member.substringBefore(':')]?.listed?.remove(token)
        held -= weight ?: return report("$event: it does not hold that")
    }

    private fun tokenOf(member: String): Long = member.substringBeforeLast(':').substringAfterLast(':').toLong()

    private fun ended(
        event: AuditEvent,
        session: String,
    ) {
        if (event.by == session) executed = call!!.what == "exchange"
        over(event, session)
        val trace = sessions.remove(session) ?: return
        ended += session
        waiting -= trace
        held -= trace.width + trace.listed.values.sum()
        startedAndOver += trace.started
    }

    private fun left(
        event: AuditEvent,
        session: String,
        first: Long,
        count: Int,
    ) {
        repeat(count) { nth ->
            val ticket = tickets.remove("$session/${first + nth}")
            val place = ticket?.let(queue::remove)
            when {
                place == null -> report("$event: place $session/${first + nth} is not there")
                place.weight > max(permits, 1) -> Unit
                else -> over(event, session)
            }
        }
    }

    /** Whether [session] may lose something: by its own word, by its client's, or because it was silent for a lease. */
    private fun over(
        event: AuditEvent,
        session: String,
    ) {
        if (event.by.substringBeforeLast('.') == session.substringBeforeLast('.') || session in ended) return
        val trace = sessions[session] ?: return report("$event: no such session")
        if (trace.mayBeOver(event.micros)) return
        val silent = event.micros - trace.heardAt
        report("$event: taken after ${silent / 1000} ms of a lease of ${trace.leaseMicros / 1000} ms")
    }

    private fun report(problem: String) {
        violations += "$name: $problem"
    }
}
