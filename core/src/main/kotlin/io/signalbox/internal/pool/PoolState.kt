package io.signalbox.internal.pool

import io.signalbox.SemaphoreNotFoundException
import io.signalbox.internal.coordination.CoordinationErrors
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.Loss
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
 *    │         ▲  │  │                    │  │                                             ▲
 *    │         │  │  │                    │  └─ nobody wants it ──────────────────────────▶│
 *    │         │  │  │                    └─ its token is older than who is to get it ─┐   │
 *    │         └──┼──┼──── again ◀────────────────────────────────────────────────────┘   │
 *    │            │  └─ nobody knows (the round failed) ──▶ again                          │
 *    │            ├─ ours, and one slot too many: withdrawing ──▶ out of the pool, or ─────┘
 *    │            └─ not ours: dropped
 *    └─ nobody wants it: pushedBack
 * ```
 *
 * `docs/design/pool.md` has what every message may meet. Decides and does not act: guarded by the coordinator's lock.
 */
internal class PoolState(
    private val coordinator: PoolCoordinator,
    private val client: ClientIdentity,
    private val pace: PoolPace,
    private val rules: PoolRules,
    private val errors: CoordinationErrors,
) {
    private val settings = pace.settings

    /** What is known of the pool that exists. */
    class Known(
        val slots: PoolKeys.Slots,
        var declared: Declared,
        var permits: Int,
        /** Nothing is granted before this moment of the client's clock. */
        val openAt: Long,
        /** When the last answer was asked for. */
        var knownAt: Long,
    )

    var handle = HandleSettings(declared = -1, bounded = true, longestMillis = 0, holdMillis = -1)

    /** The longest lease that a client may have, as last stored; 0 for any. */
    var longest = 0L
        private set

    @Volatile
    var known: Known? = null
        private set

    @Volatile
    var session: PoolSession? = null
        private set

    val waiters = LinkedHashSet<PoolWaiter>()

    /** How many of [waiters] are tries. */
    private var tries = 0

    /** The server has answered what was asked for until this moment. */
    private var askedUntil = Long.MIN_VALUE

    /** Whether every waiter is known to fit into the pool. */
    private var isJudged = true

    val hints = ArrayDeque<Hint>()
    val spare = ArrayDeque<Claim>()

    /** Claims to be made again: nobody knows whether they were made, or their token is older than who is to get them. */
    val again = ArrayDeque<Claim>()

    /** Surplus slots on their way out of the pool; they need the lease until that is settled. */
    private val withdrawing = LinkedHashSet<Claim>()
    private val pushedBack = ArrayList<Hint>()
    val returns = ArrayDeque<Return>()
    private val voided = ArrayList<Claim>()
    private val fresh = LinkedHashSet<PoolPermit>()
    val asks = ArrayDeque<PoolAsk>()

    var inFlight: PoolRound? = null
    val gate = Gate(client, pace)

    /** The free list was empty when last looked at, and the collector has not got anything from it since. */
    var isDry = false

    /** Hints to take although nobody wants them, because there are more slots than permits. */
    var trimming = 0

    val looks = rules.lookTimes(pace)
    var lookWanted = false

    /** Something was said since the last look that is not for the retention alone. */
    private var isUsed = false

    /** If it is not used until then, it rests. */
    var restAt = Long.MAX_VALUE
        private set

    /** A round was refused: what goes back, and the lease, are to leave alone, before anything that may have been the reason. */
    private var isSuspicious = false

    private var newGrants = 0
    private var nextClaim = 0L
    private var nudged = false

    var beatAt = Long.MAX_VALUE
    var refreshAt = Long.MAX_VALUE
    var pausedUntil = Long.MIN_VALUE

    @Volatile
    var closed = false

    @Volatile
    var isEnded = false

    /** The last round is due: everything is given back with it. */
    var isLeaving = false
    var lastProblem: Throwable? = null

    /** Whether something here depends on the lease. */
    val isEngaged: Boolean
        get() = session != null &&
            (
                session!!.held.isNotEmpty() || spare.isNotEmpty() || again.isNotEmpty() || withdrawing.isNotEmpty() ||
                    waiters.firstOrNull()?.gathered?.isNotEmpty() == true
                )

    /** Whether nothing is held, wanted or unsaid here: nothing has to be looked after. A pool that is gone is made anew if it was declared. */
    val isAtRest: Boolean
        get() = (known != null || handle.declared < 0) && inFlight == null && waiters.isEmpty() && session?.held.isNullOrEmpty() &&
            asks.isEmpty() && trimming == 0 && !lookWanted && gate.isIdle &&
            listOf(hints, spare, again, withdrawing, pushedBack, returns, voided, fresh).all { it.isEmpty() }

    val isOpen: Boolean get() = known.let { it != null && it.openAt <= pace.now() }

    // ---- the pool ----------------------------------------------------------------------------------------------------------

    /** A moment of the server, and when that was past already by this client's clock. */
    private var serverMicrosThen = 0L
    private var then = 0L

    /** The server's clock, or what it has shown a little ago. */
    val serverMicros: Long get() = serverMicrosThen + (pace.now() - then) / 1000

    private fun heardTime(meta: PoolMeta) {
        serverMicrosThen = meta.nowMicros
        then = pace.now()
    }

    /** This client has declared another count. */
    fun redeclared(permits: Int) {
        known?.run { declared = declared.copy(permits = permits) }
        handle = handle.run { HandleSettings(if (declared < 0) -1 else permits, bounded, longestMillis, holdMillis, onMismatch) }
    }

    fun joined(
        meta: PoolMeta,
        slots: PoolKeys.Slots,
        sentAt: Long,
    ) {
        val now = pace.now()
        val wait = (meta.openAt - meta.nowMicros / 1000).coerceAtLeast(0)
        val openAt = if (wait == 0L) Long.MIN_VALUE else now + (wait + 1) * NANOS
        known = Known(slots, meta.declared, meta.permits, openAt, sentAt)
        heardTime(meta)
        longest = meta.longest
        lastProblem = null
        isDry = false
        beatAt = now + pace.heartbeatNanos()
        refreshAt = now + settings.refreshNanos
        restAt = now + settings.lingerNanos
    }

    /** Whether it was not used for a while, and what late commands have left behind has been looked for. */
    fun rests(): Boolean {
        if (closed || !isAtRest || restAt > pace.now()) return false
        // It is in nobody's way, and need not stay. An idle pool has nothing of the kind.
        lookWanted = isUsed && known != null
        isUsed = false
        if (lookWanted) return false
        refreshAt = Long.MAX_VALUE
        return true
    }

    /** It is looked after again: until now others have kept its keys. */
    fun wakes() {
        refreshAt = pace.now() + settings.refreshNanos
        restAt = pace.now() + settings.lingerNanos
    }

    /** The server has another pool, or none: everything here belonged to the one that is gone. */
    fun Effects.lost() {
        val waiting = waiters.count { it.isQueued }
        if (waiting > 0 && session?.held.isNullOrEmpty()) add { Loss.reportSession(errors.subject, waiting, Loss.DATA_LOST) }
        endSession(Loss.DATA_LOST)
        known = null
        inFlight = null
        hints.clear()
        pushedBack.clear()
        returns.forEach { entry -> entry.permit?.let { confirm(it, wasHeld = false) } }
        returns.clear()
        voided.clear()
        withdrawing.clear()
        gate.forget()
    }

    /** The session is over: its permits are lost, and what it has claimed goes back. */
    fun Effects.endSession(why: Loss) {
        val over = session ?: return
        session = null
        over.held.forEach { lose(it, why) }
        over.held.clear()
        // What nobody knows to be ours is left to the reaper.
        val unused = spare + again.filter(rules::mayReturn) +
            waiters.flatMap { waiter -> waiter.gathered.toList().also { waiter.gathered.clear() } }
        spare.clear()
        again.clear()
        unused.forEach { returns.add(Return(it, null)) }
        for (entry in returns + inFlight?.returns.orEmpty()) {
            entry.permit?.let { confirm(it, wasHeld = false) }
            entry.permit = null
        }
    }

    /** Declares lost what is past its deadline: the session with all its permits, or [permit] by its max hold. */
    fun Effects.loseWhatIsOver(permit: PoolPermit?) {
        val now = pace.now()
        session?.let { if (it.isOver(now)) endSession(Loss.NOT_RENEWED) }
        if (permit != null && permit.holdDeadline <= now && permit.state == PermitState.HELD) {
            lose(permit, Loss.MAX_HOLD)
            putBack(permit, waits = false)
        }
    }

    /** When the session is over if nothing confirms it; `null` if nothing depends on that. */
    val sessionEnd: Long?
        get() = session?.takeIf {
            isEngaged || inFlight?.session === it
        }?.let { if (it.isEstablished) it.deadline else rules.confirmableUntil(it, pace) }

    private fun PoolSession.isOver(now: Long) = if (isEstablished) deadline <= now else rules.confirmableUntil(this, pace) <= now

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
        when {
            permit.session !== session -> confirm(permit, wasHeld = false)

            permit in permit.session.held -> putBack(permit, waits = true)

            // Given back for it in the moment between its release and this.
            else -> {
                val entries = (returns + inFlight?.returns.orEmpty()).filter { it.claim in permit.claims }
                entries.forEach { it.permit = permit }
                if (entries.isEmpty()) confirm(permit, wasHeld = true)
            }
        }
    }

    /** Whether something is on its way back: who asks about the pool now is to see it there. */
    val isReturning: Boolean get() = returns.isNotEmpty() || inFlight?.returns?.isNotEmpty() == true

    private fun putBack(
        permit: PoolPermit,
        waits: Boolean,
    ) {
        if (!permit.session.held.remove(permit)) return
        fresh.remove(permit)
        permit.claims.forEach { returns.add(Return(it, permit.takeIf { waits })) }
    }

    /** Of [again], what is known to be ours; the rest is found out first. */
    private fun returnOurs() {
        again.filter(rules::mayReturn).forEach { returns.add(Return(it, null)) }
        again.removeAll(rules::mayReturn)
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
        if (waiters.isEmpty()) returnOurs()
        gate.isFor(waiters.firstOrNull()?.takeIf { it.waits && it.weight > 1 && !it.isTooHeavy(pool) })
        if (waiters.isEmpty()) {
            isDry = false
            looks.idle()
        }
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
            val problem = errors.tooHeavy(waiter.weight, pool.permits, pool.declared.permits)
            if (problem.isResized && !waiter.waits) grant(waiter, null) else fail(waiter, problem)
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
        // A token drawn before it asked may be smaller than one that somebody was told before it asked.
        val old = spare.filterNot { rules.mayHave(head, it) }
        spare.removeAll(old)
        again.addAll(old)
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
        val permit = PoolPermit(coordinator, live, claims, token, holders.before, holders.micros, waiter.holdMillis >= 0, pace.now())
        live.held.add(permit)
        fresh.add(permit)
        newGrants++
        if (permit.limited) {
            permit.holdUntilMillis = holders.micros / 1000 + waiter.holdMillis
            limit(permit, holders.sentAt, waiter.holdMillis)
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
            val isShort = isDry && inFlight == null && returns.isEmpty() && hints.size + spare.size + again.size < waiter.weight
            val refused = closedNow || isBehind || isShort
            if (!refused || waiter.isTooHeavy(known!!)) continue
            if (!closedNow && !isBehind && !hasLookedFor(waiter)) continue
            drop(waiter)
            grant(waiter, null)
        }
    }

    /** Before a try is refused: are there permits of the dead? Not asked again before there can be any. */
    private fun hasLookedFor(waiter: PoolWaiter): Boolean {
        if (waiter.hasLooked || !looks.isDue()) return true
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
            again.isEmpty() && wanted(hints.size + spare.size + 1) > hints.size + spare.size

    // ---- rounds ------------------------------------------------------------------------------------------------------------

    /** The next round, or `null` if there is nothing to say or no way to say it now. */
    fun compose(isBlocked: Boolean): PoolRound? {
        val now = pace.now()
        if (inFlight != null || known == null || isEnded || (closed && !isLeaving && !isBlocked) || now < pausedUntil) return null
        if (isSuspicious) {
            // One after the other: neither may be the reason for which the other is refused.
            if (beatAt <= now && isEngaged) return compose(now, Plan(beats = true, isAlone = true))
            if (returns.isNotEmpty()) return compose(now, Plan(isAlone = true))
        }
        // What is not known to be ours is the reaper's, whom the end of the lease lets have it at once.
        if (isLeaving) again.clear()
        val limit = if (isDry) hints.size + spare.size + again.size + 1 else MAX_AT_ONCE
        var missing = wanted(limit) - spare.size
        // Whether they are ours has to be found out, even if nobody wants them any more.
        val repeated = again.filterIndexed { index, claim -> !rules.mayReturn(claim) || index < missing }
        again.removeAll(repeated)
        returnOurs()
        missing -= repeated.size
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
        val beats = beatAt <= now && (isEngaged || repeated.isNotEmpty() || waiters.isNotEmpty())
        val refreshes = refreshAt <= now
        val move = gate.move(beats)
        val silent = taken.isEmpty() && repeated.isEmpty() && pops == 0 && returns.isEmpty() && pushedBack.isEmpty() && voided.isEmpty() &&
            fresh.isEmpty() && asks.isEmpty() && move == GateMove.NONE
        if (silent && !nudges && !beats && !refreshes && isJudged && !isLeaving) return null
        return compose(now, Plan(taken, repeated, pops, nudges, beats, refreshes, move, isLeaving))
    }

    /** What is to be in a round beside what goes back. */
    private class Plan(
        val taken: List<Hint> = emptyList(),
        val repeated: List<Claim> = emptyList(),
        val pops: Int = 0,
        val nudges: Boolean = false,
        val beats: Boolean = false,
        val refreshes: Boolean = false,
        val move: GateMove = GateMove.NONE,
        val leaves: Boolean = false,
        val isAlone: Boolean = false,
    )

    private fun compose(
        now: Long,
        plan: Plan,
    ): PoolRound {
        if (plan.taken.isNotEmpty() && session == null) session = PoolSession(client.nextSession())
        val live = session
        plan.repeated.forEach { it.askedAt = now }
        val rest = !plan.isAlone
        val returned = if (rest || !plan.beats) returns.toList() else emptyList()
        val claims = plan.repeated + plan.taken.map { Claim(it, live!!.id, nextClaim++, now) }
        val gatherer = waiters.firstOrNull()?.takeIf { it.waits && it.weight > 1 }
        val completes = gatherer != null && gatherer.gathered.size + claims.size >= gatherer.weight
        val round =
            PoolRound(
                slots = known!!.slots,
                session = live,
                claims = claims,
                completed = if (completes) gatherer.gathered.toList() else emptyList(),
                gathering = gatherer != null && !completes,
                returns = returned,
                described = if (rest) fresh.filter { it.state == PermitState.HELD } else emptyList(),
                verified = if (plan.beats) live?.held?.filter { it.state == PermitState.HELD }.orEmpty() else emptyList(),
                pops = plan.pops,
                pushedBack = if (rest) pushedBack.toList() else emptyList(),
                voided = if (rest) voided.toList() else emptyList(),
                gate = plan.move,
                asks = if (rest) asks.toList() else emptyList(),
                newGrants = if (rest) newGrants else 0,
                renews = claims.isNotEmpty() || (plan.beats && live != null && isEngaged),
                refreshes = plan.refreshes,
                nudges = plan.nudges,
                leaves = plan.leaves,
                isAlone = plan.isAlone,
            )
        returns.removeAll(returned.toSet())
        if (claims.isNotEmpty() || returned.isNotEmpty() || waiters.isNotEmpty() || asks.isNotEmpty()) {
            isUsed = true
            restAt = now + settings.lingerNanos
        }
        if (rest) {
            fresh.clear()
            pushedBack.clear()
            voided.clear()
            asks.clear()
            newGrants = 0
            trimming = 0
        }
        if (plan.nudges) nudged = true
        if (round.renews || plan.beats) beatAt = now + pace.heartbeatNanos()
        if (plan.refreshes) {
            refreshAt = now + settings.refreshNanos
            // What late commands have left behind is in nobody's way, and need not stay. An idle pool has nothing of the kind.
            lookWanted = isUsed
            isUsed = false
        }
        inFlight = round
        return round
    }

    fun sent(
        round: PoolRound,
        at: Long,
    ) {
        if (round.attempts++ == 0) round.firstSentAt = at
        round.sentAt = at
        round.retryAt = Long.MAX_VALUE
        round.session?.let { if (round.renews && it.beginAt == Long.MAX_VALUE) it.beginAt = at }
    }

    // ---- answers -----------------------------------------------------------------------------------------------------------

    fun Effects.answered(
        round: PoolRound,
        sentAt: Long,
        replies: Replies,
    ) {
        val isFirst = !round.isAnswered && inFlight === round
        round.isAnswered = true
        if (known == null) return
        if (!isFirst) {
            // A second answer, to an earlier delivery: nothing in it is new but what it has popped.
            pushedBack.addAll(round.popped(replies))
            return
        }
        val pool = known!!
        val meta = round.meta(replies) ?: return lost()
        val popped = round.popped(replies)
        heardTime(meta)
        inFlight = null
        lastProblem = null
        if (!round.isAlone) isSuspicious = false
        if (pool.permits != meta.permits) isJudged = false
        pool.permits = meta.permits
        pool.knownAt = sentAt
        prolong(round, sentAt, replies)
        for ((permit, known) in round.missing(replies)) if (permit.state == PermitState.HELD) loseOne(permit, known)
        confirmReturns(round, replies)
        takeClaims(round, replies)
        shed(meta)
        hints.addAll(popped)
        if (round.pops > 0) isDry = popped.size < round.pops
        // A try comes after the releases that were made before it: what they have pushed, after it was popped, is for it as well.
        if (round.returns.isNotEmpty() && tries > 0) isDry = false
        askedUntil = sentAt
        if (!gate.answered(round.gate, round.gateOwner(replies))) waiters.firstOrNull()?.let { returnAll(it.gathered) }
        round.asks.forEach { complete(it.sentAt, sentAt) }
        serve(Holders(round.holdersBefore(replies) - (waiters.firstOrNull()?.gathered?.size ?: 0), meta.nowMicros, sentAt))
        if (isDry || gate.isWanted || !isOpen) waiters.forEach { it.isQueued = it.isQueued || it.since <= sentAt }
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
        val now = pace.now()
        if (!hasLease || now >= until || live.isOver(now)) return endSession(if (hasLease) Loss.NOT_RENEWED else Loss.LAPSED)
        live.isEstablished = true
        live.deadline = maxOf(live.deadline, until)
    }

    /** The server does not know this permit any more, but for the part that is [known]: only that may be given back. */
    private fun Effects.loseOne(
        permit: PoolPermit,
        known: List<Claim>,
    ) {
        lose(permit, Loss.LAPSED)
        if (!permit.session.held.remove(permit)) return
        fresh.remove(permit)
        known.forEach { returns.add(Return(it, null)) }
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
    ) {
        if (round.claims.isEmpty()) return
        val (valid, void) = round.claimed(replies, rules)
        voided.addAll(void)
        if (valid.size < round.claims.size) isDry = false
        if (closed || round.session !== session) {
            valid.forEach { returns.add(Return(it, null)) }
            return
        }
        spare.addAll(valid)
    }

    /** Takes what is too many out of the pool, also what was claimed before the pool shrank: nothing is granted beyond its new size. */
    private fun Effects.shed(meta: PoolMeta) {
        if (meta.surplus == 0 || closed || session == null) return
        val surplus = ArrayList<Claim>()
        for (claims in listOfNotNull(spare, waiters.firstOrNull()?.gathered)) {
            while (surplus.size < meta.surplus && claims.isNotEmpty()) surplus.add(claims.removeAt(claims.size - 1))
        }
        if (surplus.isEmpty()) return
        isDry = false
        withdrawing.addAll(surplus)
        add { coordinator.withdraw(meta.id, surplus) }
    }

    /** Of [claims] that were to leave the pool, [kept] could not. */
    fun withdrawn(
        claims: List<Claim>,
        kept: List<Claim>,
    ) {
        withdrawing.removeAll(claims.toSet())
        kept.forEach { returns.add(Return(it, null)) }
    }

    fun Effects.failed(
        round: PoolRound,
        failure: LedgerFailure,
    ) {
        if (inFlight !== round) return
        lastProblem = failure.error
        if (!failure.final && !failure.refused) {
            round.retryAt = pace.now() + pace.backoffNanos(round.attempts)
            return
        }
        dissolve(round, failure.told())
    }

    /**
     * [round] is not repeated: calls that begin with it are told [error], everything else goes with later rounds. It may have been carried out
     * all the same, in part or by an earlier delivery, so what it has claimed may be ours.
     */
    fun Effects.dissolve(
        round: PoolRound,
        error: Throwable,
    ) {
        inFlight = null
        lastProblem = error
        if (!isSuspicious) add { coordinator.warn(error) }
        isSuspicious = true
        isDry = false
        pausedUntil = pace.now() + pace.backoffNanos(MANY)
        for (waiter in waiters.filter { !it.waits || !it.isQueued }) {
            drop(waiter)
            returnAll(waiter.gathered)
            fail(waiter, error)
        }
        round.asks.forEach { ask -> add { ask.sentAt.completeExceptionally(error) } }
        round.returns.forEach { entry -> entry.permit?.let { refuse(it, error) } }
        val live = session
        // Of a session that is over the reaper takes care.
        again.addAll(round.claims.filter { it.session == live?.id })
        pushedBack.addAll(round.pushedBack)
        round.returns.forEach { entry -> if (entry.claim.session == live?.id) returns.add(Return(entry.claim, null)) }
        voided.addAll(round.voided)
        fresh.addAll(round.described.filter { it.state == PermitState.HELD && it.session === live })
        newGrants += round.newGrants
        if (round.refreshes) refreshAt = pausedUntil
        if (round.renews) beatAt = pausedUntil
        gate.failed(round.gate)
    }

    /** Fails what only needs an answer of the store and has waited for it too long. Those that wait for a permit wait on. */
    fun Effects.failOverdue() {
        val limit = pace.now() - settings.storeTimeoutNanos
        if (inFlight == null && known != null) return
        for (waiter in waiters.filter { !it.isQueued && it.since <= limit }) {
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
        returnOurs()
        for (permit in session?.held.orEmpty().toList()) {
            lose(permit, Loss.CLOSED)
            putBack(permit, waits = false)
        }
    }

    /** The pool cannot be opened at the moment: calls that begin are told so if repeating does not help. */
    fun Effects.notOpened(failure: LedgerFailure) {
        lastProblem = failure.error
        if (!failure.final && !failure.refused) return
        for (waiter in waiters.filter { !it.waits || !it.isQueued }) {
            drop(waiter)
            fail(waiter, failure.told())
        }
    }

    /** Whether the store has said nothing since [moment], although it was asked for something. */
    fun isCutOff(moment: Long): Boolean {
        if (askedUntil >= moment || closed) return false
        val round = inFlight ?: return known == null
        return lastProblem != null || pace.now() - round.firstSentAt >= SILENCE
    }

    /** Nothing is sent any more: every call that has not ended does so now. */
    fun Effects.end() {
        if (!closed) close()
        isEnded = true
        val asked = asks + inFlight?.asks.orEmpty()
        asked.forEach { ask -> add { ask.sentAt.completeExceptionally(errors.closed()) } }
        asks.clear()
        (returns + inFlight?.returns.orEmpty()).forEach { entry -> entry.permit?.let { refuse(it, errors.unconfirmed()) } }
        endSession(Loss.CLOSED)
        returns.clear()
        inFlight = null
    }

    private companion object {
        const val MAX_AT_ONCE = 4096
        const val MANY = 10

        /** A server that has not answered for so long is taken for away. */
        const val SILENCE = 500 * NANOS
    }
}
