package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Ledger

/** An exchange on its way and whom its answer concerns. */
internal class InFlight(
    val exchange: Exchange,
    val waiters: List<Waiter>,
    /** Of listed permits. */
    val releases: List<HeldPermit>,
    val leaves: List<Waiter>,
    val asks: List<Ask>,
    /** First sent: what the lease counts from. Last sent: what patience counts from. */
    val sentAt: Long,
    /** What was known when it was sent: an answer that knows less comes from a ledger that has forgotten it. */
    val knownGiven: Long,
    val knownAdmitted: Long,
    val acknowledged: Long,
) {
    var lastSentAt: Long = sentAt
    var attempts: Int = 1

    /** Of how many of them it is certain that the store has not executed it. */
    var notExecuted: Int = 0

    /** Set by a delivery that failed: not to be repeated before. */
    var retryAt: Long = Long.MAX_VALUE
    var answer: Answer.Done? = null

    val mayBeFollowed: Boolean get() = waiters.isEmpty() && answer == null && attempts == 1 && retryAt == Long.MAX_VALUE

    /** Who has the sequence number, of those that it carries. */
    fun waiterOf(sequence: Long): Waiter? = (sequence - exchange.firstSequence).toInt().takeIf { it >= 0 }?.let(waiters::getOrNull)

    fun isToBeRepeated(
        now: Long,
        patience: Long,
    ): Boolean = answer == null && (retryAt <= now || lastSentAt + patience <= now)

    /** Those that its answer has queued, and their tickets. */
    fun queued(): List<Waiter> {
        val done = answer ?: return emptyList()
        val queued = ArrayList<Waiter>()
        var ticket = done.firstTicket
        var at = 0
        exchange.acquires.forEachIndexed { index, run ->
            val granted = done.granted[index]
            if (run.waits && granted >= 0) {
                for (nth in granted until run.count) queued += waiters[at + nth].also { it.ticket = ticket++ }
            }
            at += run.count
        }
        return queued
    }

    /** Returns since when the last delivery has been without any reply. */
    fun repeated(now: Long): Long {
        val silentSince = if (retryAt == Long.MAX_VALUE) lastSentAt else Ledger.FIRST_DELIVERY
        attempts++
        lastSentAt = now
        retryAt = Long.MAX_VALUE
        return silentSince
    }
}
