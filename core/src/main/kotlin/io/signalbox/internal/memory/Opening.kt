package io.signalbox.internal.memory

import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
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
    if (existing != null && opening.declared >= 0 && (existing.declared != opening.declared || existing.bounded != opening.bounded)) {
        return existing to Opened.Mismatch(Declared(existing.declared, existing.bounded))
    }
    val now = existing?.readClock(micros) ?: (micros / 1000)
    val state =
        existing ?: SemaphoreState(
            opening.newEpoch,
            opening.declared,
            opening.bounded,
            if (opening.quarantine) now + opening.leaseMillis else 0,
        )
    state.keepClock(now, micros)
    if (opening.session !in state.sessions) state.begin(opening, fresh = existing == null, now)
    state.retention = maxOf(opening.retentionMillis, 3 * opening.leaseMillis, state.retention)
    val held = state.sessions.getValue(opening.session).held.keys
    val reasserted = opening.reasserted.mapTo(mutableSetOf()) { it.token }.apply { retainAll(held) }
    return state to Opened.Joined(state.epoch, reasserted, now, state.permits, Declared(state.declared, state.bounded))
}

private fun SemaphoreState.begin(
    opening: Opening,
    fresh: Boolean,
    now: Long,
) {
    val previous = sessions[opening.previous]
    // Another epoch: the state was lost. It knows less than it has told this client: it was rolled back.
    val lost =
        opening.reasserted.any { it.token > fence } ||
            (opening.knownEpoch.isNotEmpty() && (fresh || epoch != opening.knownEpoch || knowsLess(previous, opening)))
    if (previous != null) drop(previous.id, Int.MAX_VALUE)

    val session = SessionState(opening.session, opening.label, opening.inbox, opening.leaseMillis, now + opening.leaseMillis)
    var free = permits - heldWeight
    wake = if (fresh) session.deadline else min(wake, session.deadline)
    sessions[session.id] = session
    if (!lost) return
    for (grant in opening.reasserted) {
        if (grant.weight > free) continue
        val held = Held(session.id, HeavyGrant(grant.token, grant.weight))
        session.held[grant.token] = held
        if (grant.holdMillis >= 0) {
            val limit = HoldLimit(now + grant.holdMillis, session.id, grant.token, grant.weight)
            held.limit = limit
            limits.add(limit)
            wake = min(wake, limit.deadline)
        }
        free -= grant.weight
        fence = max(fence, grant.token)
    }
}

private fun knowsLess(
    previous: SessionState?,
    opening: Opening,
): Boolean = previous != null && previous.number < opening.knownNumber
