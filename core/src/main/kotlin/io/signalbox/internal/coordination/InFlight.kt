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

    /** Set by a delivery that failed: not to be repeated before. */
    var retryAt: Long = Long.MAX_VALUE
    var answer: Answer.Done? = null

    /** Who has the sequence number, of those that it carries. */
    fun waiterOf(sequence: Long): Waiter? = (sequence - exchange.firstSequence).toInt().takeIf { it >= 0 }?.let(waiters::getOrNull)

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
