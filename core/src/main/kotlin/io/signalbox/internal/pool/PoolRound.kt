package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import io.signalbox.internal.coordination.CoordinationSettings
import kotlinx.coroutines.CompletableDeferred

/** A slot on its way back to the free list, and the permit whose release waits for that, if it was one. */
internal class Return(
    val claim: Claim,
    var permit: PoolPermit?,
)

/** Somebody who waits for a round that was composed after the request. */
internal class PoolAsk(
    val since: Long,
) {
    val sentAt = CompletableDeferred<Long>()
}

/** What a round does about the gate, behind which one acquire in all processes gathers several permits. */
internal enum class GateMove { NONE, TAKE, KEEP, DROP }

/**
 * Everything a client has to say about one pool in one transaction: the group commit of the pool. Immutable once composed; repeating it does
 * no harm.
 *
 * The order of its commands matters: what is released is pushed after what is wanted was popped, so that a busy client does not snatch its
 * own permits from clients that are blocked.
 */
internal class PoolRound(
    val session: PoolSession?,
    val claims: List<Claim>,
    /** Slots gathered before, which this round's claims complete. */
    val completed: List<Claim>,
    val gathering: Boolean,
    val returns: List<Return>,
    val described: List<PoolPermit>,
    val verified: List<PoolPermit>,
    val pops: Int,
    val pushedBack: List<Hint>,
    val voided: List<Claim>,
    val gate: GateMove,
    val asks: List<PoolAsk>,
    val newGrants: Int,
    val renews: Boolean,
    val refreshes: Boolean,
    val nudges: Boolean,
    val leaves: Boolean,
) {
    var attempts = 0
    var sentAt = 0L
    var retryAt = Long.MAX_VALUE
    var isAnswered = false

    val batch = Batch()
    private var meta = -1
    private var returned = -1
    private var lease = -1
    private var verification = -1
    private var holders = -1
    private var owners = -1
    private var generations = -1
    private var fence = -1
    private var popped = -1
    private var gateOwner = -1

    fun write(
        keys: PoolKeys,
        client: String,
        gateMark: String,
        settings: CoordinationSettings,
    ) {
        val retention = settings.poolRetentionMillis
        meta = PoolMeta.ask(batch, keys)
        if (described.isNotEmpty()) {
            val fields = described.flatMap { permit -> permit.claims.flatMap { listOf(it.hint.text, Owner.described(it, permit)) } }
            batch.add(CommandType.HSET, listOf<Any>(keys.owners) + fields)
        }
        if (newGrants > 0) batch.add(CommandType.HINCRBY, keys.meta, "grants", newGrants)
        if (returns.isNotEmpty()) {
            val fields = returns.map { it.claim.hint.text }
            returned = batch.add(CommandType.HMGET, listOf<Any>(keys.owners) + fields)
            val next = returns.flatMap { (listOf(it.claim.hint.generation + 1, it.claim.hint.slot)) }
            batch.add(CommandType.ZADD, listOf<Any>(keys.gen, "XX", "GT") + next)
            batch.add(CommandType.HDEL, listOf<Any>(keys.owners) + fields)
        }
        if (voided.isNotEmpty()) batch.add(CommandType.HDEL, listOf<Any>(keys.owners) + voided.map { it.hint.text })
        if (session != null && renews) {
            val arguments = mutableListOf<Any>(keys.lease(session.id), settings.label, "PX", settings.leaseMillis)
            if (session.isEstablished) arguments.add("XX")
            lease = batch.add(CommandType.SET, arguments)
        }
        val fields = verified.flatMap { permit -> permit.claims.map { it.hint.text } }
        if (fields.isNotEmpty()) verification = batch.add(CommandType.HMGET, listOf<Any>(keys.owners) + fields)
        if (claims.isNotEmpty()) claim(keys)
        if (pushedBack.isNotEmpty()) batch.add(CommandType.LPUSH, listOf<Any>(keys.free) + pushedBack.asReversed().map { it.text })
        if (pops > 0) popped = batch.add(CommandType.LPOP, keys.free, pops)
        if (returns.isNotEmpty()) batch.add(CommandType.RPUSH, listOf<Any>(keys.free) + returns.map { it.claim.hint.next().text })
        passGate(keys, gateMark, settings)
        if (nudges) {
            batch.add(CommandType.RPUSH, keys.wake(client), "1")
            batch.add(CommandType.PEXPIRE, keys.wake(client), WAKE_MILLIS)
        }
        if (leaves && session != null) batch.add(CommandType.DEL, keys.lease(session.id))
        // A key that was empty until now has no expiry.
        val written = returns.isNotEmpty() || pushedBack.isNotEmpty()
        if (refreshes || claims.isNotEmpty()) {
            batch.add(CommandType.PEXPIRE, keys.meta, retention)
            batch.add(CommandType.PEXPIRE, keys.owners, retention)
        }
        if (refreshes || written) batch.add(CommandType.PEXPIRE, keys.free, retention)
        if (refreshes) batch.add(CommandType.PEXPIRE, keys.gen, retention)
    }

    private fun claim(keys: PoolKeys) {
        if (completed.isNotEmpty()) {
            batch.add(
                CommandType.HSET,
                listOf<Any>(keys.owners) + completed.flatMap { listOf(it.hint.text, it.mark) },
            )
        }
        holders = batch.add(CommandType.HLEN, keys.owners)
        claims.forEach {
            batch.add(CommandType.HSETNX, keys.owners, it.hint.text, if (gathering) it.gatheringMark else it.mark)
        }
        owners = batch.add(CommandType.HMGET, listOf<Any>(keys.owners) + claims.map { it.hint.text })
        generations = batch.add(CommandType.ZMSCORE, listOf<Any>(keys.gen) + claims.map { it.hint.slot })
        fence = batch.add(CommandType.HINCRBY, keys.meta, "fence", claims.size)
    }

    private fun passGate(
        keys: PoolKeys,
        mark: String,
        settings: CoordinationSettings,
    ) {
        when (gate) {
            GateMove.NONE -> Unit

            GateMove.TAKE -> {
                batch.add(CommandType.SET, keys.gate, mark, "NX", "PX", settings.leaseMillis)
                gateOwner = batch.add(CommandType.GET, keys.gate)
            }

            // Prolonging somebody else's does no harm: whoever finds that it is not its own stops doing so.
            GateMove.KEEP -> {
                gateOwner = batch.add(CommandType.GET, keys.gate)
                batch.add(CommandType.PEXPIRE, keys.gate, settings.leaseMillis)
            }

            GateMove.DROP -> batch.add(CommandType.DEL, keys.gate)
        }
    }

    // ---- the answer --------------------------------------------------------------------------------------------------------

    fun meta(replies: Replies): PoolMeta? = PoolMeta.read(replies, meta)

    /** Whether the server has prolonged, or made, the lease; `null` if it was not asked to. */
    fun hasLease(replies: Replies): Boolean? = if (lease < 0) null else replies[lease] != null

    /** Per entry of [returns], whether it was still ours. */
    fun returned(replies: Replies): List<Boolean> {
        if (returned < 0) return emptyList()
        val found = replies.texts(returned)
        return returns.mapIndexed { index, entry -> entry.claim.isMarkedBy(found[index]) }
    }

    /** Those of [verified] of which the server no longer knows a part. */
    fun missing(replies: Replies): List<PoolPermit> {
        if (verification < 0) return emptyList()
        val found = replies.texts(verification).iterator()
        return verified.filter { permit -> permit.claims.count { it.isMarkedBy(found.next()) } < permit.claims.size }
    }

    /** Held slots, all clients, before the first claim of this round. */
    fun holdersBefore(replies: Replies): Int = if (holders < 0) 0 else replies.number(holders)!!.toInt()

    /** Splits [claims] into those that are ours, and those that we have marked although their generation is over. */
    fun claimed(replies: Replies): Pair<List<Claim>, List<Claim>> {
        if (claims.isEmpty()) return Pair(emptyList(), emptyList())
        val found = replies.texts(owners)
        val current = replies.numbers(generations)
        val first = replies.number(fence)!! - claims.size + 1
        val mine = claims.indices.filter { claims[it].isMarkedBy(found[it]) }
        mine.forEach { claims[it].token = first + it }
        val (valid, void) = mine.partition { current[it] == claims[it].hint.generation }
        return Pair(valid.map(claims::get), void.map(claims::get))
    }

    fun popped(replies: Replies): List<Hint> = if (popped < 0) emptyList() else replies.texts(popped).mapNotNull { Hint.parse(it ?: "") }

    fun gateOwner(replies: Replies): String? = if (gateOwner < 0) null else replies.text(gateOwner)

    private companion object {
        const val WAKE_MILLIS = 10_000
    }
}
