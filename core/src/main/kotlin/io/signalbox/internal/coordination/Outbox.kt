package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Expectation
import io.signalbox.internal.ledger.QueueRun
import io.signalbox.internal.ledger.Words
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.CompletableDeferred

/** A command, or a question (`command == null`) that any answer settles. */
internal class Ask(
    val command: Command?,
    val since: Long,
) {
    val result: CompletableDeferred<Asked> = CompletableDeferred()
}

/** The answer that settled an [Ask], the command's own result in it, and when the exchange was first sent. */
internal class Asked(
    val answer: Answer.Done,
    val result: Int,
    val sentAt: Long,
)

/**
 * What a client still has to say about one semaphore, in the order in which it was asked to; what its session's numbers say is not in it.
 *
 * [intake] takes what the hot path asks for without a lock; everything else is guarded by the coordinator's.
 */
internal class Outbox(
    private val settings: CoordinationSettings,
) {
    /** Acquires ([Waiter]) and releases ([HeldPermit]) that nothing has been decided about. */
    val intake: ConcurrentLinkedQueue<Any> = ConcurrentLinkedQueue()

    val acquires: ArrayDeque<Waiter> = ArrayDeque()

    /** Of listed permits. */
    val releases: ArrayDeque<HeldPermit> = ArrayDeque()
    val leaves: ArrayDeque<Waiter> = ArrayDeque()
    val asks: ArrayDeque<Ask> = ArrayDeque()

    /** Whether to speak even with nothing to say. */
    var beat: Boolean = false

    val isEmpty: Boolean
        get() = intake.isEmpty() && acquires.isEmpty() && isOnlyAcquires

    /** Whether there is nothing to say but acquires, if those. */
    val isOnlyAcquires: Boolean get() = releases.isEmpty() && leaves.isEmpty() && asks.isEmpty()

    fun clear() {
        acquires.clear()
        releases.clear()
        leaves.clear()
        asks.clear()
    }

    /**
     * The next exchange of [session], with [ahead] before it on the way, or `null` if there is nothing to say. Cancelled acquires that were
     * never sent vanish here.
     */
    fun compose(
        session: ClientSession,
        ahead: InFlight?,
        inbox: String,
        now: Long,
    ): InFlight? {
        val waiters = takeAcquires()
        val words = session.cohort.words
        val said = ahead?.exchange?.words
        val unsaid =
            words.returned > (said?.returned ?: session.record.returned) || words.consumed > (said?.consumed ?: session.record.consumed)
        if (waiters.isEmpty() && releases.isEmpty() && leaves.isEmpty() && asks.isEmpty() && !beat && !unsaid) return null
        beat = false
        val firstSequence = session.nextSequence
        for (waiter in waiters) {
            waiter.state = Waiter.State.SENT
            waiter.sequence = session.nextSequence++
        }
        val released = releases.take(MAX_BATCH).also { taken -> repeat(taken.size) { releases.removeFirst() } }
        val left = leaves.take(MAX_BATCH).also { taken -> repeat(taken.size) { leaves.removeFirst() } }.sortedBy { it.sequence }
        val asked = asks.toList()
        asks.clear()
        val acquires = runsOf(waiters)
        val commands = asked.mapNotNull { it.command }
        val simple = released.isEmpty() && left.isEmpty() && commands.isEmpty() && inbox == session.inbox && acquires.all { it.isPlain }
        val number = session.nextNumber++
        val exchange =
            Exchange(
                session = session.id,
                number = number,
                epoch = session.epoch,
                inbox = inbox,
                words = words,
                firstSequence = firstSequence,
                acquires = acquires,
                releases = released.map { it.asReleased() },
                leaves = placesOf(left),
                commands = commands,
                heard = session.heard(number),
                roster = if (ahead == null) session.rosters.next(now) else null,
                expected = if (simple) expectation(session, ahead, words, waiters.size) else null,
            )
        session.inbox = inbox
        return session.cohort.run { InFlight(exchange, waiters, released, left, asked, now, given, admitted, session.acknowledged) }
    }

    private fun expectation(
        session: ClientSession,
        ahead: InFlight?,
        words: Words,
        acquires: Int,
    ): Expectation? {
        if (!session.calm || session.cohort.waits) return null
        val before = if (ahead == null) session.record else ahead.exchange.expected?.after ?: return null
        val after = Cohort.after(before, words, acquires) ?: return null
        return Expectation(before, after, session.permits, acquires, before.deadline - settings.leaseMillis + settings.renewalMillis)
    }

    private fun takeAcquires(): List<Waiter> {
        if (acquires.isEmpty()) return emptyList()
        val taken = ArrayList<Waiter>(minOf(acquires.size, MAX_BATCH))
        while (acquires.isNotEmpty() && taken.size < MAX_BATCH) {
            val waiter = acquires.removeFirst()
            if (waiter.state == Waiter.State.PENDING) taken.add(waiter)
        }
        return taken
    }

    private fun runsOf(waiters: List<Waiter>): List<AcquireRun> =
        waiters.runs({ head, waiter, _ ->
            waiter.isLike(head)
        }) { head, count -> AcquireRun(count, head.weight, head.holdMillis, head.waits) }

    /** What [make] makes of each longest run of neighbours of which every one, the nth behind its head, [belongs] to that. */
    private inline fun <R> List<Waiter>.runs(
        belongs: (head: Waiter, waiter: Waiter, nth: Int) -> Boolean,
        make: (head: Waiter, count: Int) -> R,
    ): List<R> {
        if (isEmpty()) return emptyList()
        val runs = ArrayList<R>(1)
        var start = 0
        for (end in 1..size) {
            val head = this[start]
            if (end < size && belongs(head, this[end], end - start)) continue
            runs.add(make(head, end - start))
            start = end
        }
        return runs
    }

    /** The places of [waiters], which are in the order of their sequence numbers. */
    fun placesOf(waiters: List<Waiter>): List<QueueRun> =
        waiters.runs({ head, waiter, nth -> waiter.sequence == head.sequence + nth && waiter.ticket == head.ticket + nth }) { head, count ->
            QueueRun(head.sequence, head.ticket, count)
        }

    companion object {
        /** Operations of one kind in one exchange: keeps a script below some milliseconds. */
        const val MAX_BATCH = 2000
    }
}
