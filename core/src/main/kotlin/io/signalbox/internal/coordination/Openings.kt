package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.HeldGrant
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.Opening

/** Makes the requests that begin a client's sessions. */
internal class Openings(
    private val client: ClientIdentity,
    private val ledger: Ledger,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
) {
    fun first(wanted: HandleSettings): Opening = opening(wanted, null, emptyList())

    /** In place of the session that [state] has lost, putting back what is in limbo. */
    fun next(state: ClientState): Opening = opening(state.handle, state.previous, state.inLimbo)

    private fun opening(
        wanted: HandleSettings,
        former: ClientSession?,
        inLimbo: List<HeldPermit>,
    ): Opening =
        Opening(
            session = client.nextSession(),
            previous = former?.id.orEmpty(),
            label = settings.label,
            inbox = ledger.inbox(),
            leaseMillis = settings.leaseMillis,
            retentionMillis = settings.retentionMillis,
            declared = wanted.declared,
            bounded = wanted.bounded,
            quarantine = wanted.quarantine,
            newEpoch = ClientIdentity.random(EPOCH_BYTES),
            knownEpoch = former?.epoch.orEmpty(),
            knownNumber = former?.acknowledged ?: 0,
            reasserted = inLimbo.map { HeldGrant(it.fencingToken, it.permits, if (it.limited) remainingHold(it) else -1) },
        )

    private fun remainingHold(permit: HeldPermit): Long =
        ((permit.holdDeadline - clock.nanos()) / CoordinationSettings.NANOS).coerceAtLeast(1)

    private companion object {
        const val EPOCH_BYTES = 12
    }
}
