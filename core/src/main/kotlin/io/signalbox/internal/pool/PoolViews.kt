package io.signalbox.internal.pool

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.publicClient
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** Reads who holds, in three round trips. */
internal class PoolViews(
    private val name: String,
    private val keys: PoolKeys,
    private val line: PoolLine,
) {
    /** `null` if there is no pool. */
    suspend fun look(): PoolView? {
        val content = PoolContent.read(keys, line) ?: return null
        return PoolView(name, content, content.leases(line))
    }
}

/** A pool as it was; owners without a lease are left out, whether or not somebody has returned their slots. */
internal class PoolView(
    private val name: String,
    private val content: PoolContent,
    private val leases: Map<String, PoolContent.Lease>,
) {
    private val held = content.owners.filter { (hint, owner) ->
        content.isCurrent(hint) && owner.session in leases && !owner.isGathering
    }.values

    val permits: Int get() = content.meta.permits
    val heldPermits: Int get() = held.size
    val isOpen: Boolean get() = content.meta.openAt <= content.meta.nowMicros / 1000
    val availablePermits: Int get() = if (isOpen) (permits - heldPermits).coerceAtLeast(0) else 0

    /** A grant that its client has not described yet; or a claim on its way to somebody. */
    val hasUndescribed: Boolean get() = held.any { !it.isDescribed }

    /** [waiting]: weight and age of this client's waiters. */
    fun snapshot(
        limit: Int,
        client: ClientIdentity,
        settings: CoordinationSettings,
        waiting: List<Pair<Int, Duration>>,
    ) = SemaphoreSnapshot(
        name = name,
        declaredPermits = content.meta.declared.permits,
        permits = permits,
        heldPermits = heldPermits,
        queueLength = waiting.size,
        grants = content.grants,
        holders = held.filter { it.isDescribed }.distinctBy { it.token }.take(limit).map(::holder),
        queue =
        waiting.take(limit).mapIndexed { index, (weight, age) ->
            SemaphoreSnapshot.Waiter(publicClient(client.id), settings.label, index + 1, weight, age, settings.leaseMillis.milliseconds)
        },
    )

    private fun holder(owner: Owner): SemaphoreSnapshot.Holder {
        val micros = content.meta.nowMicros
        val lease = leases.getValue(owner.session)
        return SemaphoreSnapshot.Holder(
            client = publicClient(owner.session),
            label = lease.label,
            fencingToken = owner.token,
            permits = owner.permits,
            age = (micros - owner.sinceMicros).coerceAtLeast(0).microseconds,
            remainingLease = lease.endsInMillis.milliseconds,
            remainingHold = owner.holdUntilMillis.takeIf { it >= 0 }?.let { (it - micros / 1000).coerceAtLeast(0).milliseconds },
        )
    }
}
