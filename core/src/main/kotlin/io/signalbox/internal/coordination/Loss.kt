package io.signalbox.internal.coordination

import io.signalbox.InternalSignalboxApi
import io.signalbox.LossReason
import io.signalbox.Permit
import io.signalbox.internal.ledger.LedgerName
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** Why a permit was lost, as half of a sentence. */
@InternalSignalboxApi
public enum class Loss(
    internal val reason: LossReason,
    internal val text: String,
    /** The same of a session that had no permit. */
    private val withoutPermits: String = text,
) {
    NOT_RENEWED(LossReason.NOT_RENEWED, "its lease could not be renewed in time: the store did not answer, or this process stood still"),
    LAPSED(
        LossReason.SESSION_ENDED,
        "the store has ended its session, which it had not heard of for a whole lease, or which did not obey an order, or does not know " +
            "it since a failover (what that loses is bounded by the server's settings min-replicas-to-write and min-replicas-max-lag)",
    ),
    DATA_LOST(
        LossReason.DATA_LOST,
        "the store has lost its data, and the permit could not be put back (what a failover loses is bounded by the server's settings " +
            "min-replicas-to-write and min-replicas-max-lag)",
        "the store has lost its data",
    ),
    UNREADABLE(LossReason.UNREADABLE, "the store has data of a format that this version does not know"),
    MAX_HOLD(LossReason.MAX_HOLD, "its max hold has passed"),
    REVOKED(LossReason.REVOKED, "somebody has revoked it"),
    DELETED(LossReason.DELETED, "somebody has deleted the semaphore"),
    CLOSED(LossReason.CLOSED, "the client was closed"),
    ;

    public companion object {
        private val log: Logger = LoggerFactory.getLogger(Permit::class.java)
        private const val MOST = 10

        /** Tells operators of [lost], some by name. Closing is no news: whoever closes knows. */
        public fun report(
            subject: LedgerName,
            lost: List<LeasedPermit<*>>,
        ) {
            val unexpected = lost.filter { it.loss != CLOSED }
            unexpected.take(MOST).forEach { log.warn("Permit {} of {} was lost: {}", it.fencingToken, subject, it.loss?.text) }
            if (unexpected.size > MOST) {
                log.warn("{} permits more of {} were lost: {}", unexpected.size - MOST, subject, unexpected.last().loss?.text)
            }
        }

        /** The same of a session at [subject] in which nothing was held, so that no permit tells of it, and [waiting] waited. */
        internal fun reportSession(
            subject: LedgerName,
            waiting: Int,
            why: Loss,
        ) {
            log.warn("The session at {} was lost while nothing was held and {} waited: {}", subject, waiting, why.withoutPermits)
        }
    }
}
