package io.signalbox.internal.pool

import io.lettuce.core.protocol.CommandType
import kotlinx.coroutines.CompletableDeferred

/**
 * A slot on its way back to the free list, and the permit whose release waits for that, if it was one. Only of a claim that is known to be
 * ours: the server takes the word for it.
 */
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
    private val slots: PoolKeys.Slots,
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
    /** Only what goes back and the lease, because something else was refused. */
    val isAlone: Boolean,
) {
    var attempts = 0
    var firstSentAt = 0L
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
        pace: PoolPace,
        serverMicros: Long,
    ) {
        // A lease that is prolonged needs no transaction: what it says is true however late, and what it asks as well.
        batch.isTransaction = !isAlone || returns.isNotEmpty() || session?.isEstablished != true
        val retention = pace.retentionMillis
        val lasting = LinkedHashSet<ByteArray>()
        meta = PoolMeta.ask(batch, keys, slots)
        if (described.isNotEmpty()) {
            val fields = described.flatMap { permit -> permit.claims.flatMap { listOf(it.hint.text, Owner.described(it, permit)) } }
            batch.add(CommandType.HSET, listOf<Any>(slots.owners) + fields)
            lasting += slots.owners
        }
        if (newGrants > 0) {
            batch.add(CommandType.HINCRBY, keys.state, slots.grants, newGrants)
            lasting += keys.state
        }
        if (returns.isNotEmpty()) {
            val fields = returns.map { it.claim.hint.text }
            returned = batch.add(CommandType.HMGET, listOf<Any>(slots.owners) + fields)
            val next = returns.flatMap { (listOf(it.claim.hint.generation + 1, it.claim.hint.slot)) }
            batch.add(CommandType.ZADD, listOf<Any>(slots.turns, "XX", "GT") + next)
            batch.add(CommandType.HDEL, listOf<Any>(slots.owners) + fields)
        }
        if (voided.isNotEmpty()) batch.add(CommandType.HDEL, listOf<Any>(slots.owners) + voided.map { it.hint.text })
        if (session != null && renews) {
            val key = slots.lease(session.id)
            if (!session.isEstablished) batch.add(CommandType.SET, key, pace.settings.label, "PX", pace.settings.leaseMillis)
            // Makes nothing anew.
            lease = batch.add(CommandType.PEXPIRE, key, pace.settings.leaseMillis)
        }
        val fields = verified.flatMap { permit -> permit.claims.map { it.hint.text } }
        if (fields.isNotEmpty()) verification = batch.add(CommandType.HMGET, listOf<Any>(slots.owners) + fields)
        if (claims.isNotEmpty()) {
            claim(serverMicros)
            lasting += keys.state
            lasting += slots.owners
            lasting += slots.fence
        }
        if (pushedBack.isNotEmpty()) batch.add(CommandType.LPUSH, listOf<Any>(slots.free) + pushedBack.asReversed().map { it.text })
        if (pops > 0) popped = batch.add(CommandType.LPOP, slots.free, pops)
        if (returns.isNotEmpty()) batch.add(CommandType.RPUSH, listOf<Any>(slots.free) + returns.map { it.claim.hint.next().text })
        if (returns.isNotEmpty() || pushedBack.isNotEmpty()) lasting += slots.free
        passGate(gateMark, pace)
        if (nudges) {
            batch.add(CommandType.RPUSH, keys.wake(client), "1")
            batch.add(CommandType.PEXPIRE, keys.wake(client), WAKE_MILLIS)
        }
        if (leaves && session != null) batch.add(CommandType.DEL, slots.lease(session.id))
        if (refreshes) lasting += listOf(keys.state, slots.owners, slots.free, slots.turns, slots.fence)
        // Whatever is written may just have come to be, and has no expiry then.
        lasting.forEach { batch.add(CommandType.PEXPIRE, it, retention) }
    }

    private fun claim(serverMicros: Long) {
        if (completed.isNotEmpty()) {
            batch.add(
                CommandType.HSET,
                listOf<Any>(slots.owners) + completed.flatMap { listOf(it.hint.text, it.mark) },
            )
        }
        holders = batch.add(CommandType.HLEN, slots.owners)
        claims.forEach {
            batch.add(CommandType.HSETNX, slots.owners, it.hint.text, if (gathering) it.gatheringMark else it.mark)
        }
        owners = batch.add(CommandType.HMGET, listOf<Any>(slots.owners) + claims.map { it.hint.text })
        generations = batch.add(CommandType.ZMSCORE, listOf<Any>(slots.turns) + claims.map { it.hint.slot })
        // Tokens follow the server's clock, and so those that a server which went back to an older state has given before.
        batch.add(CommandType.ZADD, slots.fence, "GT", serverMicros, PoolKeys.FENCE)
        fence = batch.add(CommandType.ZINCRBY, slots.fence, claims.size, PoolKeys.FENCE)
    }

    private fun passGate(
        mark: String,
        pace: PoolPace,
    ) {
        when (gate) {
            GateMove.NONE -> Unit

            GateMove.TAKE -> {
                batch.add(CommandType.SET, slots.gate, mark, "NX", "PX", pace.settings.leaseMillis)
                gateOwner = batch.add(CommandType.GET, slots.gate)
            }

            // Prolonging somebody else's does no harm: whoever finds that it is not its own stops doing so.
            GateMove.KEEP -> {
                gateOwner = batch.add(CommandType.GET, slots.gate)
                batch.add(CommandType.PEXPIRE, slots.gate, pace.settings.leaseMillis)
            }

            GateMove.DROP -> batch.add(CommandType.DEL, slots.gate)
        }
    }

    // ---- the answer --------------------------------------------------------------------------------------------------------

    /** `null` if the pool is gone, or there is another one now. */
    fun meta(replies: Replies): PoolMeta? = PoolMeta.read(replies, meta, slots)

    /** Whether the server has prolonged, or made, the lease; `null` if it was not asked to. */
    fun hasLease(replies: Replies): Boolean? = if (lease < 0) null else replies.number(lease) == 1L

    /** Per entry of [returns], whether it was still ours. */
    fun returned(replies: Replies): List<Boolean> {
        if (returned < 0) return emptyList()
        val found = replies.texts(returned)
        return returns.mapIndexed { index, entry -> entry.claim.isMarkedBy(found[index]) }
    }

    /** Those of [verified] of which the server no longer knows a part, with the part that it knows. */
    fun missing(replies: Replies): List<Pair<PoolPermit, List<Claim>>> {
        if (verification < 0) return emptyList()
        val found = replies.texts(verification).iterator()
        return verified.map { permit -> Pair(permit, permit.claims.filter { it.isMarkedBy(found.next()) }) }
            .filter { (permit, known) -> known.size < permit.claims.size }
    }

    /** Held slots, all clients, before the first claim of this round. */
    fun holdersBefore(replies: Replies): Int = if (holders < 0) 0 else replies.number(holders)!!.toInt()

    /** Splits [claims] into those that are ours, and those that we have marked although their generation is over. */
    fun claimed(
        replies: Replies,
        rules: PoolRules,
    ): Pair<List<Claim>, List<Claim>> {
        if (claims.isEmpty()) return Pair(emptyList(), emptyList())
        val found = replies.texts(owners)
        val current = replies.numbers(generations)
        val first = replies.number(fence)!! - claims.size + 1
        val mine = claims.indices.filter { claims[it].isMarkedBy(found[it]) }
        mine.forEach { claims[it].token = first + it }
        val (valid, void) = mine.partition { rules.isCurrent(claims[it], current[it]) }
        return Pair(valid.map(claims::get), void.map(claims::get))
    }

    fun popped(replies: Replies): List<Hint> = if (popped < 0) emptyList() else replies.texts(popped).mapNotNull { Hint.parse(it ?: "") }

    fun gateOwner(replies: Replies): String? = if (gateOwner < 0) null else replies.text(gateOwner)

    private companion object {
        const val WAKE_MILLIS = 10_000
    }
}
