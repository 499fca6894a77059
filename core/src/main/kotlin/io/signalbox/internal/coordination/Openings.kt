package io.signalbox.internal.coordination

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

    fun first(wanted: HandleSettings): Opening = opening(wanted, previous = "", floor = 0, emptyList())

    /** In place of the session that [state] has lost, putting back what is in limbo. */
    fun next(state: ClientState): Prepared {
        val held = state.inLimbo.filter { it.state == PermitState.HELD }
        return Prepared(opening(state.handle, state.previous?.id.orEmpty(), state.largestToken, held), held)
    }

    private fun opening(
        wanted: HandleSettings,
        previous: String,
        floor: Long,
        putBack: List<HeldPermit>,
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
            quarantine = wanted.quarantine,
            newEpoch = ClientIdentity.random(EPOCH_BYTES),
            running = putBack.count { !it.isListed },
            floor = floor,
            listed = putBack.filter {
                it.isListed
            }.map { ListedHold(it.fencingToken, it.permits, if (it.limited) remainingHold(it) else -1) },
        )

    private fun remainingHold(permit: HeldPermit): Long =
        ((permit.holdDeadline - clock.nanos()) / CoordinationSettings.NANOS).coerceAtLeast(1)

    private companion object {
        const val EPOCH_BYTES = 12
    }
}
