package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.QueueRun
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

/** An exchange on its way and whom its answer concerns. */
internal class InFlight(
    val exchange: Exchange,
    val waiters: List<Waiter>,
    val releases: List<HeldPermit>,
    val heavyReleases: List<HeldPermit>,
    val leaves: List<Waiter>,
    val asks: List<Ask>,
    /** First sent: what the lease counts from. Last sent: what patience counts from. */
    val sentAt: Long,
) {
    var lastSentAt: Long = sentAt
    var attempts: Int = 1

    /** Set by a delivery that failed: not to be repeated before. */
    var retryAt: Long = Long.MAX_VALUE
    var answer: Answer.Done? = null

    val sequences: LongRange get() = exchange.firstSequence until exchange.firstSequence + waiters.size
    val allReleases: List<HeldPermit> get() = releases + heavyReleases
    val operations: Int get() = waiters.size + releases.size + heavyReleases.size + leaves.size + asks.size

    fun isToBeRepeated(
        now: Long,
        patience: Long,
    ): Boolean = answer == null && (retryAt <= now || lastSentAt + patience <= now)

    /** Returns since when the last delivery has been without any reply. */
    fun repeated(now: Long): Long {
        val silentSince = if (retryAt == Long.MAX_VALUE) lastSentAt else Ledger.FIRST_DELIVERY
        attempts++
        lastSentAt = now
        retryAt = Long.MAX_VALUE
        return silentSince
    }
}

/**
 * What a client still has to say about one semaphore, in the order in which it was asked to.
 *
 * [intake] takes what the hot path asks for without a lock; everything else is guarded by the coordinator's.
 */
internal class Outbox {
    /** Acquires ([Waiter]) and releases ([HeldPermit]) that no exchange and none of the lists below has seen. */
    val intake: ConcurrentLinkedQueue<Any> = ConcurrentLinkedQueue()

    val acquires: ArrayDeque<Waiter> = ArrayDeque()
    val releases: ArrayDeque<HeldPermit> = ArrayDeque()
    val leaves: ArrayDeque<Waiter> = ArrayDeque()
    val asks: ArrayDeque<Ask> = ArrayDeque()

    /** Acquires that were part of a rejected exchange, to be tried in these groups, and apart from everything else. */
    val suspects: ArrayDeque<List<Waiter>> = ArrayDeque()

    /** Whether to speak even with nothing to say. */
    var beat: Boolean = false

    val isEmpty: Boolean
        get() = intake.isEmpty() && acquires.isEmpty() && releases.isEmpty() && leaves.isEmpty() && asks.isEmpty() && suspects.isEmpty()

    fun clear() {
        acquires.clear()
        suspects.clear()
        releases.clear()
        leaves.clear()
        asks.clear()
    }

    /** The next exchange, or `null` if there is nothing to say. Cancelled acquires that were never sent vanish here. */
    fun compose(
        session: ClientSession,
        inbox: String,
        now: Long,
    ): InFlight? {
        val waiters = if (suspects.isEmpty()) takeAcquires() else takeSuspects()
        if (waiters.isEmpty() && releases.isEmpty() && leaves.isEmpty() && asks.isEmpty() && !beat) return null
        beat = false
        val firstSequence = session.nextSequence
        for (waiter in waiters) {
            waiter.state = Waiter.State.SENT
            waiter.sequence = session.nextSequence++
        }
        val plain = ArrayList<HeldPermit>(minOf(releases.size, MAX_BATCH))
        val heavy = ArrayList<HeldPermit>(0)
        while (releases.isNotEmpty() && plain.size + heavy.size < MAX_BATCH) {
            val permit = releases.removeFirst()
            (if (permit.heavy) heavy else plain).add(permit)
        }
        val left = leaves.take(MAX_BATCH).sortedBy { it.sequence }
        repeat(left.size) { leaves.removeFirst() }
        val asked = asks.toList()
        asks.clear()
        val exchange =
            Exchange(
                session = session.id,
                number = session.nextNumber++,
                inbox = inbox,
                goodbye = false,
                firstSequence = firstSequence,
                acquires = runsOf(waiters),
                releases = session.runs.release(LongArray(plain.size) { plain[it].fencingToken }.apply { sort() }),
                heavyReleases = heavy.map { HeavyGrant(it.fencingToken, it.permits) },
                leaves = placesOf(left),
                commands = consumption(plain) + asked.mapNotNull { it.command },
            )
        return InFlight(exchange, waiters, plain, heavy, left, asked, now)
    }

    /** Before all other commands: they would take what was released for kept signals. */
    private fun consumption(released: List<HeldPermit>): List<Command> {
        val consumed = released.count { it.isConsumed }
        return if (consumed == 0) emptyList() else listOf(Command.Consume(consumed))
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

    /** Nothing while there are releases and leaves: those go first, alone. */
    private fun takeSuspects(): List<Waiter> =
        if (releases.isEmpty() && leaves.isEmpty()) suspects.removeFirst().filter { it.state == Waiter.State.PENDING } else emptyList()

    private fun runsOf(waiters: List<Waiter>): List<AcquireRun> =
        waiters.runs({ head, waiter, _ ->
            waiter.isLike(head)
        }) { head, count -> AcquireRun(count, head.weight, head.holdMillis, head.waits) }

    private fun placesOf(waiters: List<Waiter>): List<QueueRun> =
        waiters.runs({ head, waiter, nth -> waiter.sequence == head.sequence + nth && waiter.ticket == head.ticket + nth }) { head, count ->
            QueueRun(head.sequence, head.ticket, count)
        }

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

    companion object {
        /** Operations of one kind in one exchange: keeps a script below some milliseconds. */
        const val MAX_BATCH = 2000
    }
}
