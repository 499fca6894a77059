package io.signalbox.internal.coordination

import io.signalbox.OnMismatch
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.ListedHold
import io.signalbox.internal.ledger.Opening

/** Makes the requests that begin a client's sessions. */
internal class Openings(
    private val client: ClientIdentity,
    private val ledger: Ledger,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
) {
    /** A request, and what it puts back: the plain permits first, by their tokens. */
    class Prepared(
        val request: Opening,
        val putBack: List<HeldPermit>,
    )

    fun first(
        wanted: HandleSettings,
        floor: Long,
    ): Opening = opening(wanted, previous = "", floor, emptyList(), Opening.Policy.valueOf(wanted.onMismatch.name))

    /** In place of the session that [state] has lost, putting back what is in limbo. */
    fun next(state: ClientState): Prepared {
        val held = state.inLimbo.filter { it.state == PermitState.HELD }
        val wanted = state.handle.onMismatch
        val policy =
            if (state.declared == null || wanted == OnMismatch.ATTACH) Opening.Policy.valueOf(wanted.name) else Opening.Policy.AGAIN
        return Prepared(opening(state.handle, state.previousId, state.largestToken, held, policy), held)
    }

    private fun opening(
        wanted: HandleSettings,
        previous: String,
        floor: Long,
        putBack: List<HeldPermit>,
        policy: Opening.Policy,
    ): Opening =
        Opening(
            session = client.nextSession(),
            previous = previous,
            label = settings.label,
            inbox = ledger.inbox(),
            leaseMillis = settings.leaseMillis,
            retentionMillis = settings.retentionMillis,
            declared = wanted.declared,
            bounded = wanted.bounded,
            longestMillis = wanted.longestMillis,
            newEpoch = ClientIdentity.random(EPOCH_BYTES),
            running = putBack.count { !it.isListed },
            floor = floor,
            listed = putBack.filter {
                it.isListed
            }.map { ListedHold(it.fencingToken, it.permits, if (it.limited) remainingHold(it) else -1) },
            policy = policy,
        )

    private fun remainingHold(permit: HeldPermit): Long =
        ((permit.holdDeadline - clock.nanos()) / CoordinationSettings.NANOS).coerceAtLeast(1)

    private companion object {
        const val EPOCH_BYTES = 12
    }
}
