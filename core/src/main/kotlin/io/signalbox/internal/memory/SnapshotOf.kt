package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.publicClient
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds

/** The specification of `lua/snapshot.lua`. */
internal fun SemaphoreState.snapshotOf(
    name: String,
    micros: Long,
    limit: Int,
): SemaphoreSnapshot {
    val now = readClock(micros)
    val holders =
        sessions.values.sortedBy { it.id }.flatMap { session ->
            session.held.values.map { held ->
                SemaphoreSnapshot.Holder(
                    client = publicClient(session.id),
                    label = session.label,
                    fencingToken = held.grant.token,
                    permits = held.weight,
                    age = (micros - held.grant.token).coerceAtLeast(0).microseconds,
                    remainingLease = (session.deadline - now).coerceAtLeast(0).milliseconds,
                    remainingHold = held.limit?.let { (it.deadline - now).coerceAtLeast(0).milliseconds },
                )
            }
        }
    val waiters =
        queue.values.flatMap { run -> List(run.count) { run } }.mapNotNull { queued ->
            val session = sessions[queued.session]?.takeIf { it.deadline > now } ?: return@mapNotNull null
            session to queued
        }
    return SemaphoreSnapshot(
        name = name,
        declaredPermits = declared,
        permits = permits,
        heldPermits = heldWeight,
        queueLength = waiting,
        grants = grants,
        holders = holders.take(limit),
        queue =
        waiters.take(limit).mapIndexed { index, (session, queued) ->
            SemaphoreSnapshot.Waiter(
                client = publicClient(session.id),
                label = session.label,
                position = index + 1,
                permits = queued.weight,
                age = (now - queued.since).coerceAtLeast(0).milliseconds,
                remainingLease = (session.deadline - now).milliseconds,
            )
        },
    )
}
