package io.signalbox.internal.coordination

import io.signalbox.Permit
import io.signalbox.internal.ledger.LedgerName
import kotlin.time.Duration
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/** Finds permits that are held for longer than [limitNanos], each once. Guarded by the coordinator's lock. */
internal class LongHolds(
    private val limitNanos: Long,
) {
    /** What was granted until then has been told of. */
    private var toldUntil = Long.MIN_VALUE

    /** Those of [held] that are found at [now] and were not before. */
    fun <P : LeasedPermit<P>> find(
        now: Long,
        held: () -> List<P>,
    ): List<P> {
        if (limitNanos == Long.MAX_VALUE) return emptyList()
        val from = toldUntil
        val until = now - limitNanos
        toldUntil = until
        return held().filter { it.grantedAt in (from + 1)..until && it.state == PermitState.HELD }
    }

    fun tell(
        now: Long,
        plain: HeldList,
        listed: HeldList,
        settled: Settled,
    ) = find(now) { plain.toList() + listed.toList() }.forEach(settled::heldLong)

    companion object {
        private val log: Logger = LoggerFactory.getLogger(Permit::class.java)

        fun warn(
            subject: LedgerName,
            permit: LeasedPermit<*>,
            held: Duration,
        ) = log.warn(
            "Permit {} of {} has been held for {} (holdWarning): is it released on every path?",
            permit.fencingToken,
            subject,
            held,
        )
    }
}
