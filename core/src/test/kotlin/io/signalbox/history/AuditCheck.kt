package io.signalbox.history

import java.util.TreeMap

/**
 * Replays the audit log of one semaphore through a reference of its own, and collects every broken promise.
 *
 * - never more permits held than there are;
 * - tokens only grow;
 * - no grant passes by a smaller ticket that still waits, and none goes to a session that is over;
 * - nobody's session, permit or place is taken away before its lease is over;
 * - no exchange ends with a free permit and somebody waiting for it;
 * - nothing is left at the end ([finish]).
 *
 * All permits have weight 1 and the server keeps its data and its clock. A session's last renewal is only known to 1/16 of its lease.
 */
internal class AuditCheck(
    private val name: String,
    private val permits: Int,
) {
    private class Trace(
        val leaseMicros: Long,
        /** The last call that certainly renewed the session, and the last that may have. */
        var heardAt: Long,
        var maybeHeardAt: Long,
    ) {
        val held = TreeMap<Long, Unit>()
        var ended = false
        private var number = 0L

        val certainLeaseMicros get() = leaseMicros - leaseMicros / 16 - SLACK_MICROS

        /** A repeated exchange is answered, and renews nothing. Returns whether this one was certainly executed. */
        fun call(
            number: Long,
            now: Long,
        ): Boolean {
            if (ended || number != this.number + 1) return false
            this.number = number
            maybeHeardAt = now
            if (now - heardAt >= certainLeaseMicros) return false
            heardAt = now
            return true
        }
    }

    val violations = mutableListOf<String>()

    /** Every token granted, with its session. */
    val granted = TreeMap<Long, String>()

    /** How many grants went to places in the queue. */
    var grantedFromQueue = 0
        private set

    /** What each session's client calls itself. */
    val labels = HashMap<String, String>()

    private val sessions = HashMap<String, Trace>()
    private val queue = TreeMap<Long, String>()
    private val tickets = HashMap<String, Long>()
    private var held = 0
    private var created = 0

    /** Whether the last script was an exchange, and not an opening, which leaves it to the next exchange to grant what it has freed. */
    private var exchanged = false

    /** The label of the client that was granted [token]. */
    fun ownerOf(token: Long): String? = granted[token]?.let(labels::get)

    fun replay(events: Iterable<AuditEvent>): AuditCheck = apply { events.forEach(::apply) }

    /** At the end nobody holds and nobody waits. */
    fun finish(): AuditCheck = apply {
        if (created != 1) report("created $created times")
        sessions.forEach { (session, trace) ->
            trace.held.keys.forEach { report("leaked: permit $it of $session is still held at the end") }
        }
        queue.forEach { (ticket, place) -> report("leaked: place $place, ticket $ticket, is still in the queue at the end") }
    }

    private fun apply(event: AuditEvent) {
        val words = event.words
        when (event.what) {
            "open" -> begin(event, label = words[0], leaseMillis = words[1].toLong())

            "exchange" -> {
                workConserving(event)
                val executed = sessions[event.by]?.call(number = words[0].toLong(), event.micros) ?: false
                exchanged = exchanged || executed
            }

            "created" -> if (++created > 1) report("$event: the data were lost")

            "queued" -> each(words[3]) { queued(event, place = place(words, it), ticket = words[2].toLong() + it) }

            "granted" -> each(words[3]) { granted(event, words[0], place(words, it), token = words[2].toLong() + it) }

            "returned" -> take(words[0], tokens(words))

            "kept" -> tokens(words).forEach { keep(words[0], it) }

            "expired" -> tokens(words).forEach { expired(event, session = words[0], token = it) }

            "ended" -> {
                over(event, words[0])
                sessions[words[0]]?.ended = true
            }

            "left" -> each(words[2]) { left(event, words[0], place(words, it)) }

            else -> report("$event: not expected here")
        }
    }

    /** What is said of runs of waiters and permits, said of one after the other. */
    private fun each(
        count: String,
        action: (nth: Int) -> Unit,
    ) = repeat(count.toInt(), action)

    private fun place(
        words: List<String>,
        nth: Int,
    ) = "${words[0]}/${words[1].toLong() + nth}"

    private fun tokens(words: List<String>) = words[1].toLong().let { first -> first until first + words[2].toInt() }

    private fun begin(
        event: AuditEvent,
        label: String,
        leaseMillis: Long,
    ) {
        workConserving(event)
        exchanged = false
        labels[event.by] = label
        // A repeated request finds the session that the first has begun, unless that is over.
        if (sessions[event.by]?.ended != false) sessions[event.by] = Trace(leaseMillis * 1000, event.micros, event.micros)
    }

    private fun workConserving(event: AuditEvent) {
        if (exchanged && held < permits &&
            queue.isNotEmpty()
        ) {
            report("$event: before it, $held of $permits were held and ${queue.firstEntry().value} waited")
        }
    }

    private fun queued(
        event: AuditEvent,
        place: String,
        ticket: Long,
    ) {
        if (queue.isNotEmpty() && ticket <= queue.lastKey()) report("$event: ticket not larger than ${queue.lastKey()}")
        queue[ticket] = place
        tickets[place] = ticket
    }

    private fun granted(
        event: AuditEvent,
        session: String,
        place: String,
        token: Long,
    ) {
        val ticket = tickets.remove(place)
        if (ticket != null) {
            queue.remove(ticket)
            grantedFromQueue++
        }
        val first = queue.firstEntry()
        if (first != null &&
            (ticket == null || first.key < ticket)
        ) {
            report("$event: passes by ${first.value}, which waits with ticket ${first.key}")
        }
        if (granted.isNotEmpty() && token <= granted.lastKey()) report("$event: token not larger than ${granted.lastKey()}")
        granted[token] = session
        if (++held > permits) report("$event: $held of $permits permits held")
        val owner = sessions[session]
        when {
            owner == null || owner.ended -> report("$event: granted to a session that is not there")

            event.micros - owner.maybeHeardAt > owner.leaseMicros + SLACK_MICROS -> report(
                "$event: granted to a session silent for a lease",
            )
        }
        owner?.held?.put(token, Unit)
    }

    private fun take(
        session: String,
        tokens: LongRange,
    ) {
        val owned = sessions[session]?.held?.subMap(tokens.first, true, tokens.last, true) ?: return
        held -= owned.size
        owned.clear()
    }

    /** Of a run of which something was released, what is still held. */
    private fun keep(
        session: String,
        token: Long,
    ) {
        if (granted[token] != session) return report("$session keeps $token, which it was not granted")
        held++
        sessions[session]?.held?.put(token, Unit)
    }

    private fun expired(
        event: AuditEvent,
        session: String,
        token: Long,
    ) {
        over(event, session)
        take(session, token..token)
    }

    private fun left(
        event: AuditEvent,
        session: String,
        place: String,
    ) {
        over(event, session)
        tickets.remove(place)?.let(queue::remove)
    }

    /** Whether [session] may lose something: by its own word, by its client's, or because it was silent for a lease. */
    private fun over(
        event: AuditEvent,
        session: String,
    ) {
        val trace = sessions[session] ?: return report("$event: no such session")
        if (event.by.substringBeforeLast('.') == session.substringBeforeLast('.') || trace.ended) return
        val silent = event.micros - trace.heardAt
        if (silent <
            trace.certainLeaseMicros
        ) {
            report("$event: taken after ${silent / 1000} ms of a lease of ${trace.leaseMicros / 1000} ms")
        }
    }

    private fun report(problem: String) {
        violations += "$name: $problem"
    }

    private companion object {
        /** The scripts count in whole milliseconds. */
        const val SLACK_MICROS = 2_000L
    }
}
