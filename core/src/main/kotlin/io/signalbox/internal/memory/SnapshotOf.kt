package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.publicClient
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** The specification of `lua/snapshot.lua`. */
internal fun SemaphoreState.snapshotOf(
    name: String,
    micros: Long,
    limit: Int,
): SemaphoreSnapshot {
    val now = readClock(micros)
    // What was kept until now is free, though no exchange has said so yet.
    val (kept, free) = kept.values.partition { it.limit!!.deadline > now }
    val alive = sessions.values.filter { it.deadline > now }.sortedBy { it.id }
    val waiters = turn?.takeIf { it.deadline > now }?.let { listOf(it.ownWaiters(now)) }.orEmpty() +
        queue.values.mapNotNull { run ->
            sessions[run.session]?.takeIf { it.deadline > now }?.let { Waiters(it, run.count.toLong(), run.weight, now - run.since) }
        }
    return SemaphoreSnapshot(
        name = name,
        declaredPermits = declared,
        permits = permits,
        heldPermits = held - free.sumOf { it.weight },
        queueLength = waiters.sumOf { it.count }.toInt(),
        grants = grants,
        holders =
        (kept.map { it.keptHolder(now) } + alive.flatMap { it.listedHolders(now) } + alive.flatMap { it.plainHolders(now) }).take(limit),
        queue =
        waiters.asSequence().flatMap { run -> generateSequence { run }.take(minOf(run.count, limit.toLong()).toInt()) }.take(limit)
            .mapIndexed { index, run ->
                SemaphoreSnapshot.Waiter(
                    client = publicClient(run.session.id),
                    label = run.session.label,
                    position = index + 1,
                    permits = run.weight,
                    age = elapsed(run.age),
                    remainingLease = (run.session.deadline - now).milliseconds,
                )
            }.toList(),
    )
}

private class Waiters(
    val session: SessionState,
    val count: Long,
    val weight: Int,
    val age: Long,
)

/** Those whose turn it is; all with the age of the one that has waited longest. */
private fun SessionState.ownWaiters(now: Long): Waiters =
    Waiters(this, record.admitted - record.passed, weight = 1, if (roster.waitingSince == 0L) 0 else now - roster.waitingSince)

/** What its name tells of who held it. */
private fun Listed.keptHolder(now: Long): SemaphoreSnapshot.Holder {
    val rest = elapsed(limit!!.deadline - now)
    return SemaphoreSnapshot.Holder(
        client = publicClient(owner),
        label = owner.substringAfter(' '),
        fencingToken = grant.token,
        permits = weight,
        age = elapsed(now - grant.token / 1000),
        remainingLease = rest,
        remainingHold = rest,
        isKept = true,
        session = owner,
    )
}

private fun SessionState.listedHolders(now: Long): List<SemaphoreSnapshot.Holder> =
    listed.values.map {
        holder(it.grant.token, it.weight, since = it.grant.token / 1000, now, it.limit?.let { limit -> elapsed(limit.deadline - now) })
    }

/** As far as they are known by token: as many as are held, those with the largest tokens. */
private fun SessionState.plainHolders(now: Long): List<SemaphoreSnapshot.Holder> =
    roster.running
        .flatMap { run -> List(run.count) { holder(run.token + it, 1, run.since, now, null) } }
        .sortedBy { it.fencingToken }
        .takeLast(record.width.toInt())

private fun SessionState.holder(
    token: Long,
    weight: Int,
    since: Long,
    now: Long,
    remainingHold: Duration?,
) = SemaphoreSnapshot.Holder(
    client = publicClient(id),
    label = label,
    fencingToken = token,
    permits = weight,
    age = elapsed(now - since),
    remainingLease = elapsed(deadline - now),
    remainingHold = remainingHold,
    session = id,
)

private fun elapsed(millis: Long): Duration = millis.coerceAtLeast(0).milliseconds
