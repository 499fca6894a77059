package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.News
import io.signalbox.internal.ledger.SessionRecord
import io.signalbox.internal.ledger.Words
import java.util.TreeMap

/**
 * The plain permits of one session and the waiters that the ledger has admitted: who may run, and what the session says of it.
 *
 * ```
 *                admitted, place in K known         a permit is there
 *   Waiter ────────────────────────────────▶ line ────────────────────▶ running ──▶ released: the next of the line starts,
 *                                              │                                      or R grows
 *                                              └ cancelled: P and X grow
 * ```
 *
 * A session holds G - R permits by count ([given], [returned]) and never runs more. The ledger admits waiters before permits are free;
 * the session hands a released permit on to the next of its [line] without asking. All numbers only grow, so what they say can be
 * lost, doubled and late. `docs/design/protocol.md` has the rules and the reason of each.
 *
 * Guarded by the coordinator's lock.
 */
internal class Cohort {
    /** G: permits ever given, as far as heard. */
    var given: Long = 0
        private set

    /** Held permits, all clients, right after the last of [given] was given. */
    var heldAtGift: Int = 0
        private set

    /** R: permits ever given back. */
    var returned: Long = 0
        private set

    /** K: waiters ever admitted, as far as heard. */
    var admitted: Long = 0
        private set

    /** T: while R is below it nothing is handed on. */
    private var restrained: Long = 0

    /** P: admitted waiters that were started or dropped. */
    private var passed: Long = 0
    private var dropped: Long = 0
    private var consumed: Long = 0

    /** How many permits are in somebody's hands. */
    var running: Int = 0
        private set

    /** Admitted waiters that were not started, in the order of their places; some may have given up. */
    private val line = ArrayDeque<Waiter>()
    private var deadInLine = 0

    /** How many places of K are known without a gap. */
    private var known: Long = 0

    /** Admissions behind a gap, by their first place: the answer that tells those before them is still to come. */
    private val beyond = TreeMap<Long, News.Admitted>()

    /** The admission that ends at [known], to recognize another one at its place. */
    private var last: News.Admitted? = null

    val words: Words get() = Words(returned, passed, dropped, consumed)

    /** Whether an admission is missing. With no exchange unanswered the ledger has forgotten that it made it. */
    val hasGap: Boolean get() = known < admitted

    val waits: Boolean get() = line.size > deadInLine

    /** Admitted waiters that were not started. */
    val waitingCount: Int get() = line.size - deadInLine

    /** Whether all that was admitted has been started or dropped. */
    val isWorkedOff: Boolean get() = passed >= admitted

    /** The first of the line. */
    val longestWaiting: Waiter? get() = line.firstOrNull { it.state == Waiter.State.ADMITTED }

    /** A session that begins with [width] permits, [held] of them in somebody's hands; the others are given back. */
    fun begin(
        width: Int,
        held: Int,
    ) {
        given = width.toLong()
        running = held
        returned = given - held
    }

    /** Takes a message's numbers in; by maximum, because messages overtake each other. So many were [held] right after the last was given. */
    fun hear(
        given: Long,
        admitted: Long,
        restrained: Long,
        held: Int,
    ) {
        if (given > this.given) {
            this.given = given
            heldAtGift = held
        }
        this.admitted = maxOf(this.admitted, admitted)
        this.restrained = maxOf(this.restrained, restrained)
    }

    /**
     * Takes in admissions in order, the last of which has the place [end]. [waiterOf] finds who had a sequence number; `null` if nobody
     * has it any more. Returns false if they contradict what was told before.
     */
    fun learn(
        admissions: List<News.Admitted>,
        end: Long,
        waiterOf: (sequence: Long) -> Waiter?,
    ): Boolean {
        var place = end - admissions.sumOf { it.count } + 1
        for (run in admissions) {
            if (contradicts(place, run)) return false
            if (place + run.count - 1 > known) beyond[place] = run
            place += run.count
        }
        while (beyond.isNotEmpty() && beyond.firstKey() <= known + 1) {
            val (first, run) = beyond.pollFirstEntry()
            val skip = (known + 1 - first).toInt()
            if (skip >= run.count) continue
            for (nth in skip until run.count) {
                val holders = if (nth < run.given) run.held - run.given + nth + 1 else 0
                join(waiterOf(run.sequence + nth), run.token + nth, holders)
            }
            known = first + run.count - 1
            last = run
        }
        return true
    }

    private fun contradicts(
        place: Long,
        run: News.Admitted,
    ): Boolean {
        val waiting = beyond[place]
        if (waiting != null) return waiting != run
        val former = last ?: return false
        val overlap = place + run.count - 1 == known && run.count <= former.count
        return overlap && run.token + run.count != former.token + former.count
    }

    private fun join(
        waiter: Waiter?,
        token: Long,
        holders: Int,
    ) {
        if (waiter == null || waiter.state == Waiter.State.ABANDONED || waiter.state == Waiter.State.DONE) {
            waiter?.state = Waiter.State.DONE
            passed++
            dropped++
            return
        }
        waiter.state = Waiter.State.ADMITTED
        waiter.wasQueued = true
        waiter.token = token
        waiter.holders = holders
        line.addLast(waiter)
    }

    /** [waiter] is in the line and gives up. */
    fun drop(waiter: Waiter) {
        waiter.state = Waiter.State.DONE
        passed++
        dropped++
        if (++deadInLine > DEAD_IN_LINE && deadInLine > line.size / 2) {
            line.removeAll { it.state == Waiter.State.DONE }
            deadInLine = 0
        }
    }

    /** Who starts now, if a permit is there and somebody to have it. */
    fun startNext(): Waiter? {
        if (running >= given - returned) return null
        while (true) {
            val next = line.removeFirstOrNull() ?: return null
            if (next.state == Waiter.State.ADMITTED) {
                running++
                passed++
                return next
            }
            deadInLine--
        }
    }

    /** How many permits are there for those who had been admitted without one. */
    val givenToLine: Int
        get() {
            val startable = (given - returned - running).toInt()
            if (startable <= 0) return 0
            return line.asSequence().filter { it.state == Waiter.State.ADMITTED }.take(startable).count { it.holders == 0 }
        }

    /** Permits that the ledger gave for waiters that are not there any more go back. */
    fun returnSurplus() {
        if (running < given - returned && !waits && isWorkedOff) returned = given - running
    }

    /**
     * A permit is released; whoever it was for is dropped, and no grant, if he never saw it. Returns who gets it; `null` if it was given back:
     * then [returned] says so.
     */
    fun release(wasSeen: Boolean): Waiter? {
        running--
        if (!wasSeen) dropped++
        val next = if (returned >= restrained) startNext() else null
        if (next == null) returned++
        return next
    }

    /** A permit is used up: it goes back, and the ledger has one less. */
    fun consume() {
        running--
        returned++
        consumed++
    }

    /** Ends the line: those who wait in it, in order. */
    fun takeLine(): List<Waiter> = line.filter { it.state == Waiter.State.ADMITTED }.also { line.clear() }

    companion object {
        /** Who gave up is taken out of the line only when there are more. */
        private const val DEAD_IN_LINE = 64

        /**
         * What becomes of [before] in an exchange that says [words] and asks for [acquires] permits, at a calm ledger where they fit; `null`
         * if it says more than that.
         */
        fun after(
            before: SessionRecord,
            words: Words,
            acquires: Int,
        ): SessionRecord? {
            if (before.unread || before.passed != before.admitted || words.consumed != before.consumed) return null
            return before.copy(
                number = before.number + 1,
                given = before.given + acquires,
                returned = words.returned,
                admitted = before.admitted + acquires,
                passed = before.passed + acquires,
                dropped = words.dropped,
                said = words.passed,
            )
        }
    }
}
