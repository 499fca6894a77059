package io.signalbox.quorum.internal

import io.signalbox.Permit
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.quorum.QuorumSemaphore
import io.signalbox.quorum.QuorumSnapshot
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Request
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** The public face of a [QuorumCoordinator]: argument checks, time limits, the meaning of answers. */
internal class DefaultQuorumSemaphore(
    val coordinator: QuorumCoordinator,
    private val client: QuorumBackend,
    private val acquireTimeout: Duration,
) : QuorumSemaphore,
    Contention {
    override val name: String get() = coordinator.subject.name
    override val grants: Long get() = coordinator.grants
    override val tries: Long get() = coordinator.tries

    override suspend fun acquire(): Permit {
        if (acquireTimeout.isFinite()) return acquire(acquireTimeout)
        return coordinator.acquire(waits = true)!!
    }

    override suspend fun acquire(timeout: Duration): Permit = tryAcquire(timeout) ?: throw coordinator.errors.timeout(timeout)

    override suspend fun tryAcquire(): Permit? = coordinator.acquire(waits = false)

    override suspend fun tryAcquire(timeout: Duration): Permit? {
        requireTimeout(timeout)
        if (timeout == Duration.ZERO) return tryAcquire()
        if (timeout.isInfinite()) return coordinator.acquire(waits = true)
        val since = client.clock.nanos()
        val permit = client.time.granted(timeout, QuorumPermit::giveBack) { coordinator.acquire(waits = true) }
        if (permit == null) coordinator.outageSince(since)?.let { throw it }
        return permit
    }

    override suspend fun permits(): Int = seen(1).permits

    override suspend fun availablePermits(): Int = seen(1).availablePermits

    override suspend fun isLocked(): Boolean = seen(1).let { it.availablePermits == 0 || it.waiting > 0 }

    override suspend fun snapshot(limit: Int): QuorumSnapshot {
        require(limit in 1..MOST_LISTED) { "limit must be from 1 to $MOST_LISTED, but was $limit." }
        return seen(limit)
    }

    override suspend fun resize(permits: Int) {
        requireCount(permits)
        val now = client.untilClosed { coordinator.askAll { it to Request.Look(1) } }
        val version = nextVersion(now.answers.values.maxOf { it.version })
        client.untilClosed { coordinator.askAll { Known(it.declared, permits, version, it.floor) to Request.Resize } }
    }

    private suspend fun seen(limit: Int): QuorumSnapshot =
        SnapshotOf(name, client.titles, client.untilClosed { coordinator.askAll { it to Request.Look(limit) } }.answers).snapshot

    override fun toString(): String = "QuorumSemaphore(name=$name)"

    companion object {
        private const val MOST_LISTED = 10_000

        /** What makes versions of resizes that overlap differ. */
        private const val VERSION_BITS = 20

        fun nextVersion(last: Long): Long = ((last shr VERSION_BITS) + 1 shl VERSION_BITS) + Random.nextInt(1 shl VERSION_BITS)

        fun requireCount(permits: Int) =
            require(permits in 1..QuorumSemaphore.MAX_PERMITS) {
                "permits must be from 1 to ${QuorumSemaphore.MAX_PERMITS}, but was $permits."
            }
    }
}

/** What the [answers] to a look, by master, come to. */
private class SnapshotOf(
    name: String,
    titles: List<String>,
    private val answers: Map<Int, Answer>,
) {
    private val majority = titles.size / 2 + 1
    private val seen = answers.mapValues { (_, answer) -> answer.body as Answer.Seen }
    private val newest = answers.values.maxBy { it.version }
    private val held = seen.values.flatMap { it.slots }.groupBy { it.slot to it.bid }.filterValues { it.size >= majority }

    val snapshot =
        QuorumSnapshot(
            name,
            answers.values.groupingBy { it.declared }.eachCount().maxBy { it.value }.key,
            newest.permits,
            seen.values.flatMap { it.waiters }.map { it.bid }.distinct().count { bid -> held.keys.none { it.second == bid } },
            held.entries.sortedBy { it.key.first }.map { (_, votes) -> holder(votes) },
            titles.mapIndexed { master, title ->
                val answer = answers[master]
                QuorumSnapshot.Master(title, answer != null, (answer?.quarantineMillis ?: 0).milliseconds)
            },
        )

    private fun holder(votes: List<Answer.Slot>) =
        QuorumSnapshot.Holder(
            votes[0].bid.take(PUBLIC),
            votes[0].label,
            votes.maxOf { it.fence } * QuorumCoordinator.SLOTS + votes[0].slot,
            votes.maxOf { it.sinceMillis }.milliseconds,
            votes.map { it.leftMillis }.sortedDescending()[majority - 1].milliseconds,
        )

    private companion object {
        /** The public part of a client's id. */
        const val PUBLIC = 8
    }
}
