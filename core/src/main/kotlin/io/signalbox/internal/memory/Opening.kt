package io.signalbox.internal.memory

import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.Opening.Policy
import io.signalbox.internal.ledger.SessionRecord
import kotlin.math.max
import kotlin.math.min

/**
 * Creates or joins the semaphore whose state is [existing] (`null`: there is none) at server time [micros]; the
 * specification of `lua/open.lua`. Returns the state to keep, or `null` for none, and the answer.
 */
internal fun open(
    existing: SemaphoreState?,
    opening: Opening,
    micros: Long,
): Pair<SemaphoreState?, Opened> {
    if (existing == null && opening.declared < 0) return null to Opened.NotFound
    val isOther =
        existing != null && opening.declared >= 0 && (existing.declared != opening.declared || existing.bounded != opening.bounded)
    if (isOther && (opening.policy == Policy.FAIL || (opening.policy == Policy.AGAIN && !existing!!.isRedeclared))) {
        return existing to Opened.Mismatch(Declared(existing!!.declared, existing.bounded))
    }
    val now = existing?.readClock(micros) ?: (micros / 1000)
    val known = existing?.sessions?.get(opening.session)
    if (known == null && existing != null && existing.longest in 1..<opening.leaseMillis) {
        return existing to Opened.LeaseTooLong(existing.longest)
    }
    if (known != null && (known.record.number > 0 || known.deadline <= now)) return existing to Opened.Over
    val state =
        existing ?: SemaphoreState(
            opening.newEpoch,
            opening.declared,
            opening.bounded,
            if (opening.longestMillis > 0) now + opening.longestMillis else 0,
            opening.longestMillis,
        )
    state.keepClock(now, micros)
    // Once: a repetition must not undo what was declared since.
    if (isOther && known == null && opening.policy == Policy.RESIZE) {
        state.declared = opening.declared
        state.bounded = opening.bounded
        state.permits = opening.declared
        state.isRedeclared = true
    }
    // Whoever repeats it counts its lease from that attempt on.
    if (known !=
        null
    ) {
        known.record = known.record.copy(deadline = now + known.lease)
    } else {
        state.begin(opening, fresh = existing == null, now)
    }
    state.fence = max(state.fence, opening.floor)
    state.retention = maxOf(opening.retentionMillis, 3 * opening.leaseMillis, state.retention)
    val session = state.sessions.getValue(opening.session)
    val listed = opening.listed.mapTo(mutableSetOf()) { it.token }.apply { retainAll(session.listed.keys) }
    val declared = Declared(state.declared, state.bounded)
    return state to Opened.Joined(state.epoch, session.record.width.toInt(), listed, now, state.permits, declared, state.longest)
}

private fun SemaphoreState.begin(
    opening: Opening,
    fresh: Boolean,
    now: Long,
) {
    sessions[opening.previous]?.let { end(it, Int.MAX_VALUE) }
    val deadline = now + opening.leaseMillis
    wake = if (fresh) deadline else min(wake, deadline)
    val width = (permits - held).coerceIn(0, opening.running)
    val record = SessionRecord(given = width.toLong(), deadline = deadline)
    val session = SessionState(opening.session, opening.label, opening.inbox, opening.leaseMillis, record, opening.hearsOrders)
    sessions[session.id] = session
    for (hold in opening.listed) {
        if (hold.weight > permits - held) continue
        val listed = Listed(session.id, ListedGrant(hold.token, hold.weight))
        session.listed[hold.token] = listed
        if (hold.holdMillis >= 0) limit(listed, now + hold.holdMillis)
    }
}

internal fun SemaphoreState.limit(
    listed: Listed,
    deadline: Long,
) {
    listed.limit?.let(limits::remove)
    val limit = HoldLimit(deadline, session = listed.owner, token = listed.grant.token, weight = listed.weight)
    listed.limit = limit
    limits.add(limit)
    wake = min(wake, deadline)
}
