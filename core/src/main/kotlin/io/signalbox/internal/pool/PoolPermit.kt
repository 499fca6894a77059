package io.signalbox.internal.pool

import io.signalbox.internal.coordination.LeasedPermit
import io.signalbox.internal.coordination.PermitState

/** A grant of a pool in the hands of this client: one or several slots. */
internal class PoolPermit(
    coordinator: PoolCoordinator,
    val session: PoolSession,
    val claims: List<Claim>,
    fencingToken: Long,
    holdersAtGrant: Int,
    /** Server time of the grant. */
    val sinceMicros: Long,
    limited: Boolean,
    grantedAt: Long,
) : LeasedPermit<PoolPermit>(coordinator, fencingToken, holdersAtGrant, limited, grantedAt) {
    override val self: PoolPermit get() = this
    override val permits: Int get() = claims.size
    override val sessionDeadline: Long get() = session.deadline

    /** About the same moment as [holdDeadline], by the server's clock: for snapshots. */
    var holdUntilMillis: Long = -1

    private var isConfirmed = false

    /** Whether this is the first to say what became of the release: the answer, or the end of the session before it. */
    fun markConfirmed(): Boolean = (state == PermitState.RELEASED && !isConfirmed).also { if (it) isConfirmed = true }
}
