package io.signalbox.internal.pool

import io.signalbox.SemaphoreNotFoundException
import io.signalbox.internal.coordination.CoordinationErrors
import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.PermitState
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.LedgerFailure

/**
 * What one client knows of one pool, and what follows from answers and the clock.
 *
 * A slot on its way through this client:
 *
 * ```
 *  hints ──▶ claim in a round ──ours──▶ spare ──▶ gathered ──▶ granted (PoolPermit) ──▶ returns ──▶ free list
 *    │            │                       └──────────────────────▲             │
 *    │            └─ not ours: dropped    nobody wants it: returns, or withdrawn if there are too many slots
 *    └─ nobody wants it: pushedBack
 * ```
 *
 * Decides and does not act: guarded by the coordinator's lock.
 */
internal class PoolState(
    private val coordinator: PoolCoordinator,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val errors: CoordinationErrors,
) {
    /** What is known of the pool that exists. */
    class Known(
        val id: String,
        val declared: Declared,
        var permits: Int,
        /** Nothing is granted before this moment of the client's clock. */
        val openAt: Long,
        /** When the last answer was asked for. */
        var knownAt: Long,
    )

    var handle = HandleSettings(declared = -1, bounded = true, quarantine = false, holdMillis = -1)

    @Volatile
    var known: Known? = null
        private set

    @Volatile
    var session: PoolSession? = null
        private set

    val waiters = LinkedHashSet<PoolWaiter>()

    /** How many of [waiters] are tries. */
    private var tries = 0

    /** Waiters from before this moment have been refused by the server, and wait on through outages. */
    private var askedUntil = Long.MIN_VALUE

    /** Whether every waiter is known to fit into the pool. */
    private var isJudged = true

    val hints = ArrayDeque<Hint>()
    val spare = ArrayDeque<Claim>()
    private val pushedBack = ArrayList<Hint>()
    val returns = ArrayDeque<Return>()
    private val voided = ArrayList<Claim>()
    private val fresh = LinkedHashSet<PoolPermit>()
    val asks = ArrayDeque<PoolAsk>()

    var inFlight: PoolRound? = null
    val gate = Gate(client, settings, clock)

    /** The free list was empty when last looked at, and the collector has not got anything from it since. */
    var isDry = false

    /** Hints to take although nobody wants them, because there are more slots than permits. */
    var trimming = 0

    /** When the pool was last searched for what dead clients have left. */
    var lookedAt = Long.MIN_VALUE / 2
    var lookWanted = false

    private var newGrants = 0
    private var nextClaim = 0L
    private var nudged = false

    var beatAt = Long.MAX_VALUE
    var refreshAt = Long.MAX_VALUE
    var pausedUntil = Long.MIN_VALUE

    @Volatile
    var closed = false

    /** The last round is due: everything is given back with it. */
    var isLeaving = false
    var lastProblem: Throwable? = null

    /** Whether something here depends on the lease. */
    val isEngaged: Boolean
        get() = session != null &&
            (session!!.held.isNotEmpty() || spare.isNotEmpty() || waiters.firstOrNull()?.gathered?.isNotEmpty() == true)

    val isOpen: Boolean get() = known.let { it != null && it.openAt <= clock.nanos() }

    // ---- the pool ----------------------------------------------------------------------------------------------------------

    fun joined(
        meta: PoolMeta,
        sentAt: Long,
    ) {
        val now = clock.nanos()
        val wait = (meta.openAt - meta.nowMicros / 1000).coerceAtLeast(0)
        val openAt = if (wait == 0L) Long.MIN_VALUE else now + (wait + 1) * NANOS
        known = Known(meta.id, meta.declared, meta.permits, openAt, sentAt)
        lastProblem = null
        isDry = false
        beatAt = now + settings.heartbeatNanos()
        refreshAt = now + settings.refreshNanos
    }

    /** The server has another pool, or none: everything here belonged to the one that is gone. */
    fun Effects.lost() {
        endSession()
        known = null
        inFlight = null
        hints.clear()
        pushedBack.clear()
        returns.forEach { entry -> entry.permit?.let { confirm(it, wasHeld = false) } }
        returns.clear()
        voided.clear()
        gate.forget()
    }

    /** The session is over: its permits are lost, and what it has claimed goes back. */
    fun Effects.endSession() {
        val over = session ?: return
        session = null
        over.held.forEach { lose(it) }
        over.held.clear()
        val unused = spare + waiters.flatMap { waiter -> waiter.gathered.toList().also { waiter.gathered.clear() } }
        spare.clear()
        unused.forEach { returns.add(Return(it, null)) }
        for (entry in returns + inFlight?.returns.orEmpty()) {
            entry.permit?.let { confirm(it, wasHeld = false) }
            entry.permit = null
        }
    }

    /** Declares lost what is past its deadline: the session with all its permits, or [permit] by its max hold. */
    fun Effects.loseWhatIsOver(permit: PoolPermit?) {
        val now = clock.nanos()
        session?.let { if (it.isEstablished && it.deadline <= now) endSession() }
        if (permit != null && permit.holdDeadline <= now && permit.state == PermitState.HELD) {
            lose(permit)
            putBack(permit, waits = false)
        }
    }

    // ---- operations --------------------------------------------------------------------------------------------------------

    fun add(waiter: PoolWaiter) {
        waiters.add(waiter)
        if (!waiter.waits) tries++
        if (waiter.weight > 1) isJudged = false
    }

    private fun drop(waiter: PoolWaiter): Boolean {
        if (!waiters.remove(waiter)) return false
        if (!waiter.waits) tries--
        return true
    }

    fun abandon(waiter: PoolWaiter) {
        waiter.isDone = true
        if (drop(waiter)) returnAll(waiter.gathered)
    }

    /** Takes a permit that has just become RELEASED. */
    fun Effects.takeBack(permit: PoolPermit) {
        permit.takeListeners()
        permit.holdTimer?.cancel()
        if (permit.session === session) putBack(permit, waits = true) else confirm(permit, wasHeld = false)
    }

    private fun putBack(
        permit: PoolPermit,
        waits: Boolean,
    ) {
        if (!permit.session.held.remove(permit)) return
        fresh.remove(permit)
        permit.claims.forEach { returns.add(Return(it, permit.takeIf { waits })) }
    }

    private fun returnAll(claims: MutableList<Claim>) {
        claims.forEach { returns.add(Return(it, null)) }
        claims.clear()
    }

    /** Has the server told again what a snapshot shows of [permit]. */
    fun describe(permit: PoolPermit) {
        if (permit.state == PermitState.HELD) fresh.add(permit)
    }

    fun limit(
        permit: PoolPermit,
        from: Long,
        holdMillis: Long,
    ) {
        permit.holdTimer?.cancel()
        permit.holdDeadline = from + holdMillis * NANOS
        permit.holdTimer = coordinator.watchHold(permit)
    }

    fun collected(hint: Hint?) {
        nudged = false
        if (hint == null) return
        hints.add(hint)
        // There may be more where it came from.
        isDry = false
    }

    /** A resize, or an addition, has been carried out. */
    fun changed(
        permits: Int,
        surplus: Int,
    ) {
        val pool = known ?: return
        pool.permits = permits
        isJudged = false
        trimming = surplus
        isDry = false
    }

    // ---- who gets what -----------------------------------------------------------------------------------------------------

    /** Hands out what was claimed, from the head of the line on, and answers those who need not wait for the server any more. */
    fun Effects.serve(holders: Holders = Holders(0, 0, 0)) {
        val pool = known ?: return
        judge(pool)
        while (true) {
            val head = waiters.firstOrNull() ?: break
            if (!serve(head, pool, holders)) break
        }
        if (tries > 0) refuseTries()
        if (tries == 0 || waiters.none { !it.waits && it.weight > 1 }) returnAll(spare)
        gate.isFor(waiters.firstOrNull()?.takeIf { it.waits && it.weight > 1 && !it.isTooHeavy(pool) })
        if (waiters.isEmpty()) isDry = false
    }

    /** Fails the waiters that ask for more than there is, by what the server has said since they asked. */
    private fun Effects.judge(pool: Known) {
        if (isJudged) return
        isJudged = true
        for (waiter in waiters.filter { it.isTooHeavy(pool) }) {
            if (pool.knownAt < waiter.since) {
                isJudged = false
                continue
            }
            drop(waiter)
            returnAll(waiter.gathered)
            fail(waiter, errors.tooHeavy(waiter.weight, pool.permits))
        }
    }

    private fun PoolWaiter.isTooHeavy(pool: Known) = weight > maxOf(pool.permits, 1)

    /** Returns whether [head] is served. */
    private fun Effects.serve(
        head: PoolWaiter,
        pool: Known,
        holders: Holders,
    ): Boolean {
        if (head.isTooHeavy(pool)) return false
        val missing = head.weight - head.gathered.size
        if (spare.size < missing) {
            if (head.waits && gate.isHeldFor(head)) while (spare.isNotEmpty()) head.gathered.add(spare.removeFirst())
            return false
        }
        repeat(missing) { head.gathered.add(spare.removeFirst()) }
        drop(head)
        grant(head, holders)
        return true
    }

    /** What an answer says about the moment of the grants it makes. */
    class Holders(
        var before: Int,
        val micros: Long,
        val sentAt: Long,
    )

    private fun Effects.grant(
        waiter: PoolWaiter,
        holders: Holders,
    ) {
        val live = session!!
        holders.before += waiter.weight
        val claims = waiter.gathered.toList()
        val token = claims.maxOf { it.token }
        val permit = PoolPermit(coordinator, live, claims, token, holders.before, holders.micros, handle.holdMillis >= 0, clock.nanos())
        live.held.add(permit)
        fresh.add(permit)
        newGrants++
        if (permit.limited) {
            permit.holdUntilMillis = holders.micros / 1000 + handle.holdMillis
            limit(permit, holders.sentAt, handle.holdMillis)
        }
        grant(waiter, permit)
    }

    /** A try is refused when the free list was empty, or when somebody waits before it. */
    private fun Effects.refuseTries() {
        var isBehind = false
        val closedNow = !isOpen
        for (waiter in waiters.toList()) {
            if (waiter.waits) {
                if (waiter.weight > 1) isBehind = true
                continue
            }
            val isShort = isDry && inFlight == null && hints.size + spare.size < waiter.weight
            val refused = closedNow || isBehind || isShort
            if (!refused || waiter.isTooHeavy(known!!)) continue
            if (!closedNow && !isBehind && !hasLookedFor(waiter)) continue
            drop(waiter)
            grant(waiter, null)
        }
    }

    /** Before a try is refused: are there permits of the dead? Not asked again for a while. */
    private fun hasLookedFor(waiter: PoolWaiter): Boolean {
        if (waiter.hasLooked || clock.nanos() - lookedAt < settings.leaseMillis * NANOS / 4) return true
        lookWanted = true
        return false
    }

    /** How many slots the waiters want beyond what they have gathered; counting ends at [limit]. */
    private fun wanted(limit: Int): Int {
        if (closed || !isOpen) return 0
        var sum = trimming
        for (waiter in waiters) {
            if (sum >= limit) break
            if (waiter.isTooHeavy(known!!)) break
            if (waiter.weight == 1) {
                sum++
                continue
            }
            if (waiter.waits && !gate.isHeldFor(waiter)) break
            sum += waiter.weight - waiter.gathered.size
            // Nobody is served past an acquire that gathers.
            if (waiter.waits) break
        }
        return sum
    }

    /** Whether the blocking connection is to wait for a hint. */
    val needsCollector: Boolean
        get() = known != null && isDry && inFlight == null && waiters.size > tries &&
            wanted(hints.size + spare.size + 1) > hints.size + spare.size

    // ---- rounds ------------------------------------------------------------------------------------------------------------

    /** The next round, or `null` if there is nothing to say or no way to say it now. */
    fun compose(isBlocked: Boolean): PoolRound? {
        val now = clock.nanos()
        if (inFlight != null || known == null || (closed && !isLeaving && !isBlocked) || now < pausedUntil) return null
        val limit = if (isDry) hints.size + spare.size + 1 else MAX_AT_ONCE
        val missing = wanted(limit) - spare.size
        val usable = minOf(hints.size, missing.coerceAtLeast(0))
        val pops = if (isDry || closed) 0 else (missing - usable).coerceIn(0, MAX_AT_ONCE)
        // A try that gets less than it wants is refused without having claimed anything.
        val keepsHints = pops > 0 && waiters.firstOrNull()?.let { !it.waits && hints.size + spare.size < it.weight } == true
        val taken = if (keepsHints) emptyList() else List(usable) { hints.removeFirst() }
        if (!keepsHints) {
            pushedBack.addAll(hints)
            hints.clear()
        }
        if (!isBlocked) nudged = false
        val nudges = isBlocked && !nudged && missing <= 0
        val beats = beatAt <= now && (isEngaged || waiters.isNotEmpty())
        val refreshes = refreshAt <= now
        val move = gate.move(beats)
        val silent = taken.isEmpty() && pops == 0 && returns.isEmpty() && pushedBack.isEmpty() && voided.isEmpty() && fresh.isEmpty() &&
            asks.isEmpty() && move == GateMove.NONE
        if (silent && !nudges && !beats && !refreshes && isJudged && !isLeaving) return null
        return compose(now, taken, pops, nudges, beats, refreshes, move)
    }

    private fun compose(
        now: Long,
        taken: List<Hint>,
        pops: Int,
        nudges: Boolean,
        beats: Boolean,
        refreshes: Boolean,
        move: GateMove,
    ): PoolRound {
        if (taken.isNotEmpty() && session == null) session = PoolSession(client.nextSession())
        val live = session
        val claims = taken.map { Claim(it, live!!.id, nextClaim++) }
        val gatherer = waiters.firstOrNull()?.takeIf { it.waits && it.weight > 1 }
        val completes = gatherer != null && gatherer.gathered.size + claims.size >= gatherer.weight
        val round =
            PoolRound(
                session = live,
                claims = claims,
                completed = if (completes) gatherer.gathered.toList() else emptyList(),
                gathering = gatherer != null && !completes,
                returns = returns.toList(),
                described = fresh.filter { it.state == PermitState.HELD },
                verified = if (beats) live?.held?.filter { it.state == PermitState.HELD }.orEmpty() else emptyList(),
                pops = pops,
                pushedBack = pushedBack.toList(),
                voided = voided.toList(),
                gate = move,
                asks = asks.toList(),
                newGrants = newGrants,
                renews = claims.isNotEmpty() || (beats && live != null && isEngaged),
                refreshes = refreshes,
                nudges = nudges,
                leaves = isLeaving,
            )
        returns.clear()
        fresh.clear()
        pushedBack.clear()
        voided.clear()
        asks.clear()
        newGrants = 0
        trimming = 0
        if (nudges) nudged = true
        if (round.renews || beats) beatAt = now + settings.heartbeatNanos()
        if (refreshes) {
            refreshAt = now + settings.refreshNanos
            // What late commands have left behind is in nobody's way, and need not stay.
            lookWanted = true
        }
        inFlight = round
        return round
    }

    // ---- answers -----------------------------------------------------------------------------------------------------------

    fun Effects.answered(
        round: PoolRound,
        sentAt: Long,
        replies: Replies,
    ) {
        val again = round.isAnswered
        round.isAnswered = true
        val pool = known ?: return
        if (again || inFlight !== round) {
            // A second answer, to an earlier delivery: nothing in it is new but what it has popped.
            pushedBack.addAll(round.popped(replies))
            return
        }
        inFlight = null
        lastProblem = null
        val meta = round.meta(replies)
        if (meta == null || meta.id != pool.id) {
            lost()
            // What it took from the new pool, before it knew, goes back there.
            if (meta != null) {
                keep(round.claimed(replies).first)
                pushedBack.addAll(round.popped(replies))
            }
            return
        }
        if (pool.permits != meta.permits) isJudged = false
        pool.permits = meta.permits
        pool.knownAt = sentAt
        prolong(round, sentAt, replies)
        round.missing(replies).forEach { if (it.state == PermitState.HELD) loseOne(it) }
        confirmReturns(round, replies)
        takeClaims(round, replies, meta)
        hints.addAll(round.popped(replies))
        if (round.pops > 0) {
            isDry = round.popped(replies).size < round.pops
        }
        if (round.pops > 0 || round.gate == GateMove.TAKE) askedUntil = sentAt
        if (!gate.answered(round.gate, round.gateOwner(replies))) waiters.firstOrNull()?.let { returnAll(it.gathered) }
        round.asks.forEach { complete(it.sentAt, sentAt) }
        serve(Holders(round.holdersBefore(replies) - (waiters.firstOrNull()?.gathered?.size ?: 0), meta.nowMicros, sentAt))
    }

    private fun Effects.prolong(
        round: PoolRound,
        sentAt: Long,
        replies: Replies,
    ) {
        val live = session ?: return
        if (round.session !== live) return
        val hasLease = round.hasLease(replies) ?: return
        val until = sentAt + settings.usableNanos
        val now = clock.nanos()
        val isLate = now >= until || (live.isEstablished && now >= live.deadline)
        if (!hasLease || isLate) return endSession()
        live.isEstablished = true
        live.deadline = maxOf(live.deadline, until)
    }

    /** The server does not know (all of) this permit any more. */
    private fun Effects.loseOne(permit: PoolPermit) {
        lose(permit)
        putBack(permit, waits = false)
    }

    private fun Effects.confirmReturns(
        round: PoolRound,
        replies: Replies,
    ) {
        val heard = round.returned(replies)
        val held = LinkedHashMap<PoolPermit, Boolean>()
        round.returns.forEachIndexed { index, entry ->
            val permit = entry.permit ?: return@forEachIndexed
            // Of a repeated round the first delivery may have been the one that found it.
            val wasHeld = heard[index] || (round.attempts > 1 && permit.session === session)
            held.merge(permit, wasHeld, Boolean::and)
        }
        held.forEach { (permit, wasHeld) -> confirm(permit, wasHeld) }
    }

    private fun Effects.takeClaims(
        round: PoolRound,
        replies: Replies,
        meta: PoolMeta,
    ) {
        if (round.claims.isEmpty()) return
        val (valid, void) = round.claimed(replies)
        voided.addAll(void)
        if (valid.size < round.claims.size) isDry = false
        if (closed || round.session !== session) {
            valid.forEach { returns.add(Return(it, null)) }
            return
        }
        val surplus = valid.takeLast(minOf(meta.surplus, valid.size))
        spare.addAll(valid.dropLast(surplus.size))
        if (surplus.isNotEmpty()) {
            isDry = false
            add { coordinator.withdraw(surplus) }
        }
    }

    /** What [withdraw][PoolCoordinator.withdraw] could not take out of the pool. */
    fun keep(claims: List<Claim>) = claims.forEach { returns.add(Return(it, null)) }

    fun Effects.failed(
        round: PoolRound,
        failure: LedgerFailure,
    ) {
        if (inFlight !== round) return
        lastProblem = failure.error
        val now = clock.nanos()
        if (!failure.final) {
            round.retryAt = now + settings.backoffNanos(round.attempts)
            return
        }
        inFlight = null
        pausedUntil = now + settings.backoffNanos(MANY)
        isDry = false
        waiters.forEach { fail(it, failure.error) }
        waiters.flatMap { it.gathered }.forEach { returns.add(Return(it, null)) }
        waiters.clear()
        tries = 0
        round.asks.forEach { ask -> add { ask.sentAt.completeExceptionally(failure.error) } }
        for (entry in round.returns) {
            entry.permit?.takeIf {
                it.markConfirmed()
            }?.awaiting?.let { waiting -> add { waiting.resumeWith(Result.failure(failure.error)) } }
            entry.permit = null
        }
        // It may have been carried out in part, so what it claimed is given back; for as long as it is kept alive by this session.
        val live = session ?: return
        (round.claims + round.returns.map { it.claim }).filter { it.session == live.id }.forEach { returns.add(Return(it, null)) }
    }

    /** Fails what only needs an answer of the store and has waited for it too long. Those that wait for a permit wait on. */
    fun Effects.failOverdue() {
        val limit = clock.nanos() - settings.storeTimeoutNanos
        if (inFlight == null && known != null) return
        for (waiter in waiters.filter { it.since > askedUntil && it.since <= limit }) {
            drop(waiter)
            val problem = lastProblem
            val missing = problem as? SemaphoreNotFoundException
            fail(waiter, missing ?: errors.unavailable("if the acquire was granted, it is given back", problem))
        }
        asks.filter { it.since <= limit }.forEach { ask ->
            asks.remove(ask)
            add { ask.sentAt.completeExceptionally(errors.unavailable("it was not carried out", lastProblem)) }
        }
        inFlight?.asks?.filter { it.since <= limit }?.forEach { ask ->
            add { ask.sentAt.completeExceptionally(errors.unavailable("it may or may not have been carried out", lastProblem)) }
        }
    }

    /** Fails what waits and gives back what is held, as far as this client can tell itself. */
    fun Effects.close() {
        closed = true
        waiters.forEach { fail(it, errors.closed()) }
        waiters.forEach { returnAll(it.gathered) }
        waiters.clear()
        tries = 0
        asks.forEach { ask -> add { ask.sentAt.completeExceptionally(errors.closed()) } }
        asks.clear()
        returnAll(spare)
        for (permit in session?.held.orEmpty().toList()) {
            lose(permit)
            putBack(permit, waits = false)
        }
    }

    private companion object {
        const val MAX_AT_ONCE = 4096
        const val MANY = 10
    }
}
