package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.Opened

/**
 * What one client knows of one semaphore, and what follows from answers, announcements and the clock.
 *
 * ```
 *            something to say               joined
 *   NONE ───────────────────────▶ OPENING ──────────▶ LIVE (session != null)
 *    ▲                              │                  │
 *    │        refused for good      │                  │ deadline passed, or the ledger knows no such session:
 *    └──────────────────────────────┴──────────────────┘ permits are lost, queued acquires go back to the outbox
 * ```
 *
 * If the ledger no longer knows the session although its deadline is ahead, the store may have lost data: the permits are then
 * kept [inLimbo] while a new session is opened that puts them back, and lost if it cannot or if their old deadline passes.
 *
 * Decides and does not act: guarded by the coordinator's lock, it fills a [Settled] with what user code has to hear of.
 */
internal class ClientState(
    private val coordinator: SemaphoreCoordinator,
    val settings: CoordinationSettings,
    val clock: NanoClock,
    val errors: CoordinationErrors,
) {
    val outbox = Outbox()
    val inFlight = ArrayDeque<InFlight>()
    val schedule = Schedule(settings, clock)
    val failures = Failures(this)

    var handle = HandleSettings(declared = -1, bounded = true, quarantine = false, holdMillis = -1)

    @Volatile
    var session: ClientSession? = null
        private set

    /** The session whose permits are in limbo, or that the next one takes the place of. */
    @Volatile
    var previous: ClientSession? = null
        private set

    @Volatile
    var inLimbo: List<HeldPermit> = emptyList()
        private set
    var opening = false

    @Volatile
    var closed = false
    var lastProblem: Throwable? = null

    /** Whether to open a session for nothing but the retention of the keys. */
    var wantsRefresh = false

    /** What the semaphore was created with, by whomever. */
    @Volatile
    var declared: Declared? = null
        private set
    private var knownPermits = Int.MAX_VALUE

    /** Whether permits or places in the queue depend on the session being kept alive. */
    val isEngaged: Boolean get() = session?.let { !it.held.isEmpty || it.waiting.isNotEmpty() } ?: false

    /** A look without the lock: what is not seen here is seen by whoever holds the lock now. */
    val hasSomethingToSay: Boolean get() = !outbox.isEmpty || outbox.beat || inLimbo.isNotEmpty()

    val wantsSession: Boolean get() = session == null && (!outbox.isEmpty || inLimbo.isNotEmpty())

    // ---- sessions ----------------------------------------------------------------------------------------------------------

    /** [putBack] were in limbo when the session was asked for; those that were lost since are given back. */
    fun Settled.joined(
        sessionId: String,
        joined: Opened.Joined,
        sentAt: Long,
        putBack: List<HeldPermit>,
    ) {
        opening = false
        wantsRefresh = false
        lastProblem = null
        val began = ClientSession(sessionId, joined.epoch, sentAt + settings.usableNanos)
        began.serverNow = joined.now
        began.sentAtServerNow = sentAt
        session = began
        knownPermits = joined.permits
        declared = joined.declared
        schedule.began(sentAt)
        for (permit in putBack) {
            val kept = permit.fencingToken in joined.reasserted
            if (kept && !permit.heavy) began.runs.add(permit.fencingToken, 1)
            when {
                kept && permit.state == PermitState.HELD -> hold(began, permit)
                kept -> sendBack(permit)
                permit.isReturning -> if (outbox.releases.remove(permit)) confirm(permit, wasHeld = false)
                else -> lose(permit)
            }
        }
        inLimbo = emptyList()
        // Ending the previous session may have freed permits that others wait for: an exchange hands them on.
        if (previous != null) outbox.beat = true
        previous = null
    }

    private fun hold(
        live: ClientSession,
        permit: HeldPermit,
    ) {
        permit.session = live
        live.held.add(permit)
    }

    /** No session can be had: everything that waits for one fails with [error]. */
    fun Settled.giveUp(error: Throwable) {
        opening = false
        wantsRefresh = false
        inLimbo.forEach { lose(it) }
        inLimbo = emptyList()
        failures.run { failOutbox(error) }
    }

    /**
     * The session is over. If [dataMayBeLost] its permits wait in limbo to be put back by the next session; else they are lost.
     * Queued and sent acquires go back to the outbox in their order.
     */
    fun Settled.endSession(dataMayBeLost: Boolean) {
        val over = session ?: return
        session = null
        previous = over
        coordinator.forget(over)
        val held = over.held.toList()
        if (dataMayBeLost && over.deadline > clock.nanos()) inLimbo = held else held.forEach { lose(it) }

        outbox.releases.forEach { confirm(it, wasHeld = false) }
        outbox.releases.clear()
        outbox.leaves.clear()
        for (sent in inFlight) {
            sent.allReleases.forEach { confirm(it, wasHeld = false) }
            sent.asks.forEach { putBackOrFail(it) }
        }
        val sentWaiters = inFlight.flatMap { it.waiters }.filter { it.state == Waiter.State.SENT }
        inFlight.clear()
        putBack(over.waiting.values + sentWaiters)
    }

    private fun Settled.putBackOrFail(ask: Ask) {
        when (ask.command) {
            is Command.AddPermits -> fail(ask, errors.interrupted("it may or may not have added the permits"))
            is Command.Extend -> fail(ask, errors.interrupted("the permit was lost with it"))
            is Command.Signal -> fail(ask, errors.interrupted("it may or may not have been set"))
            is Command.Clear, is Command.Consume, is Command.Resize, null -> outbox.asks.addFirst(ask)
        }
    }

    private fun putBack(waiters: List<Waiter>) {
        for (waiter in waiters.asReversed()) {
            waiter.state = Waiter.State.PENDING
            waiter.sequence = -1
            outbox.acquires.addFirst(waiter)
        }
    }

    /** Declares lost what is past its deadline: the session with all its permits, permits in limbo, [permit] by its max hold. */
    fun Settled.loseWhatIsOver(permit: HeldPermit?) {
        val now = clock.nanos()
        session?.let { if (it.deadline <= now) endSession(dataMayBeLost = false) }
        if (inLimbo.isNotEmpty() && previous!!.deadline <= now) {
            inLimbo.forEach { lose(it) }
            inLimbo = emptyList()
        }
        if (permit != null && permit.holdDeadline <= now && permit.state == PermitState.HELD) {
            session?.held?.remove(permit)
            lose(permit)
            // Not left to the server's clock: given back as soon as its holder may not use it any more.
            sendBack(permit)
        }
    }

    /** A look without the lock, which decides nothing. */
    val isOver: Boolean
        get() {
            val deadline = session?.deadline ?: if (inLimbo.isNotEmpty()) previous?.deadline else null
            return deadline != null && deadline <= clock.nanos()
        }

    // ---- operations --------------------------------------------------------------------------------------------------------

    fun abandon(waiter: Waiter) {
        when (waiter.state) {
            Waiter.State.PENDING -> waiter.state = Waiter.State.DONE
            Waiter.State.SENT -> waiter.state = Waiter.State.ABANDONED
            Waiter.State.QUEUED -> leave(waiter)
            Waiter.State.ABANDONED, Waiter.State.DONE -> Unit
        }
    }

    private fun leave(waiter: Waiter) {
        val live = session ?: return
        waiter.state = Waiter.State.ABANDONED
        live.waiting.remove(waiter.sequence)
        live.abandoned[waiter.sequence] = waiter
        outbox.leaves.addLast(waiter)
    }

    /** Sorts what the hot path has asked for. */
    fun Settled.takeIn() {
        while (true) {
            val wish = outbox.intake.poll() ?: return
            when {
                wish is HeldPermit -> takeBack(wish)
                closed -> fail(wish as Waiter, errors.closed())
                else -> outbox.acquires.addLast(wish as Waiter)
            }
        }
    }

    private fun Settled.takeBack(permit: HeldPermit) {
        permit.takeListeners()
        permit.holdTimer?.cancel()
        val itsSession = permit.session
        if (itsSession != null && itsSession === session) {
            itsSession.held.remove(permit)
            sendBack(permit)
        } else if (itsSession != null && itsSession === previous && inLimbo.isNotEmpty()) {
            sendBack(permit)
        } else if (!permit.isReturning) {
            confirm(permit, wasHeld = false)
        }
    }

    private fun sendBack(permit: HeldPermit) {
        if (permit.isReturning) return
        permit.isReturning = true
        outbox.releases.addLast(permit)
    }

    /** The next exchange, or `null` if there is nothing to say or no way to say it now. */
    fun compose(inbox: String): InFlight? {
        val live = session
        if (closed || live == null || inFlight.isNotEmpty()) return null
        val now = clock.nanos()
        val composed = outbox.compose(live, inbox, now) ?: return null
        inFlight.addLast(composed)
        schedule.sent(now)
        return composed
    }

    // ---- answers -----------------------------------------------------------------------------------------------------------

    fun Settled.answered(
        sent: InFlight,
        answer: Answer,
    ) {
        val live = session
        if (sent.exchange.session != live?.id || sent !in inFlight) return
        when (answer) {
            is Answer.Done -> {
                sent.answer = answer
                while (session != null) {
                    val head = inFlight.firstOrNull()
                    apply(head ?: return, head.answer ?: return)
                }
            }

            is Answer.Gap ->
                if (answer.last < live.acknowledged) endSession(dataMayBeLost = true) else repeatAll()

            is Answer.Lost, Answer.Stale -> endSession(dataMayBeLost = true)
        }
    }

    private fun repeatAll() {
        inFlight.forEach { it.retryAt = clock.nanos() }
        schedule.ringIfBefore(clock.nanos())
    }

    private fun Settled.apply(
        head: InFlight,
        done: Answer.Done,
    ) {
        val live = session!!
        live.acknowledged = head.exchange.number
        live.deadline = maxOf(live.deadline, head.sentAt + settings.usableNanos)
        live.serverNow = done.now
        live.sentAtServerNow = head.sentAt
        // Frozen for too long: what the answer grants was meant for a client that may not act on it any more.
        if (live.deadline <= clock.nanos()) return endSession(dataMayBeLost = false)
        inFlight.removeFirst()
        lastProblem = null

        done.grants.forEach { granted(it, announced = false) }
        val queueLost = live.queues >= 0 && done.queues != live.queues
        if (queueLost) requeue(live)
        live.queues = done.queues
        settleAcquires(live, head, done)
        head.releases.forEach { confirm(it, wasHeld = true) }
        head.heavyReleases.forEachIndexed { index, permit -> confirm(permit, done.released[index]) }
        settleLeaves(live, head, done, nothingUnread = queueLost && !done.more)
        var command = done.results.size - head.asks.count { it.command != null }
        for (ask in head.asks) {
            val result = if (ask.command != null) done.results[command++] else 0
            complete(ask, Asked(done, result, head.sentAt))
        }
        if (done.permits < knownPermits) refuseTooHeavy(live, done.permits)
        knownPermits = done.permits
        if (done.more) outbox.beat = true
        schedule.promised(if (live.waiting.isEmpty()) -1 else done.next, done.now)
    }

    private fun Settled.settleAcquires(
        live: ClientSession,
        head: InFlight,
        done: Answer.Done,
    ) {
        var token = done.firstToken
        var holders = done.heldBefore
        var ticket = done.firstTicket
        var at = 0
        head.exchange.acquires.forEachIndexed { index, run ->
            val granted = done.granted[index]
            if (granted > 0 && run.isPlain) live.runs.add(token, granted)
            repeat(run.count) { inRun ->
                val waiter = head.waiters[at++]
                if (inRun < granted) {
                    holders += run.weight
                    grant(live, waiter, token++, holders, done.now)
                } else if (granted == Answer.IMPOSSIBLE) {
                    fail(waiter, errors.tooHeavy(waiter, done.permits))
                } else if (run.waits) {
                    queued(live, waiter, ticket++)
                } else if (waiter.state != Waiter.State.ABANDONED) {
                    waiter.state = Waiter.State.DONE
                    resume(waiter.continuation, null)
                }
            }
        }
        if (live.early.isEmpty()) return
        val early = live.early.keys.filter { it in head.sequences }
        early.forEach { granted(live.early.remove(it)!!, announced = true) }
    }

    /**
     * Who was granted something before the leave arrived stays in mind until that is read, and given back. With [nothingUnread]
     * there is no such grant: the place was lost with the queue.
     */
    private fun settleLeaves(
        live: ClientSession,
        head: InFlight,
        done: Answer.Done,
        nothingUnread: Boolean,
    ) {
        var at = 0
        head.exchange.leaves.forEachIndexed { index, run ->
            val gone = if (nothingUnread) 0 else run.count - done.left[index]
            repeat(run.count) { inRun ->
                val waiter = head.leaves[at++]
                if (inRun < gone) return@repeat
                live.abandoned.remove(waiter.sequence)
                waiter.state = Waiter.State.DONE
            }
        }
    }

    private fun Settled.queued(
        live: ClientSession,
        waiter: Waiter,
        ticket: Long,
    ) {
        waiter.ticket = ticket
        waiter.wasQueued = true
        if (waiter.state == Waiter.State.ABANDONED) return leave(waiter)
        waiter.state = Waiter.State.QUEUED
        live.waiting[waiter.sequence] = waiter
    }

    /** Grants to queued waiters, read in an answer or [announced]. What was read before is ignored. */
    fun Settled.granted(
        grant: Grant,
        announced: Boolean,
    ) {
        val live = session ?: return
        // A run is granted to those that were queued as one: all of them are known, or it was read before. Else it is invented.
        if (announced && !grant.sequences.all { it in live.waiting || it in live.abandoned }) {
            // Or it overtook the answer that says that the acquires are queued.
            if (inFlight.any { grant.sequence in it.sequences }) live.early[grant.sequence] = grant
            return
        }
        val waiters = grant.sequences.mapNotNull { live.waiting.remove(it) ?: abandoned(live, it) }
        if (waiters.isEmpty()) return
        if (grant.token == Answer.REFUSED) {
            return waiters.forEach { if (it.state != Waiter.State.ABANDONED) fail(it, errors.tooHeavy(it, knownPermits)) }
        }
        if (waiters.first().isPlain) live.runs.add(grant.token, grant.count)
        for (waiter in waiters) {
            val nth = (waiter.sequence - grant.sequence).toInt()
            grant(live, waiter, grant.token + nth, grant.holders + nth, grant.grantedAt)
        }
    }

    /** One that has given up its place; a leave of it that is not sent yet is not needed any more. */
    private fun abandoned(
        live: ClientSession,
        sequence: Long,
    ): Waiter? = live.abandoned.remove(sequence)?.also(outbox.leaves::remove)

    /** Hands a permit to [waiter], or back if nobody waits for it any more. */
    private fun Settled.grant(
        live: ClientSession,
        waiter: Waiter,
        token: Long,
        holders: Int,
        grantedAt: Long,
    ) {
        val permit = HeldPermit(coordinator, token, waiter.weight, holders, limited = waiter.holdMillis >= 0, clock.nanos())
        hold(live, permit)
        if (waiter.state == Waiter.State.ABANDONED) {
            permit.isUnseen = true
            permit.markReleased()
            return takeBack(permit)
        }
        waiter.state = Waiter.State.DONE
        granted(waiter, permit)
        if (permit.limited) {
            // The exchange that read serverNow was sent before the server's clock showed it.
            limit(permit, live.sentAtServerNow + (grantedAt - live.serverNow) * CoordinationSettings.NANOS, waiter.holdMillis)
        }
        resume(waiter.continuation, permit)
    }

    /** Ends the hold of [permit] a little before the server does: [holdMillis] after [from], less 1/32 for unlike clocks. */
    fun limit(
        permit: HeldPermit,
        from: Long,
        holdMillis: Long,
    ) {
        val nanos = holdMillis * CoordinationSettings.NANOS
        permit.holdDeadline = from + nanos - nanos / 32
        permit.holdTimer?.cancel()
        permit.holdTimer = coordinator.watchHold(permit)
    }

    private fun Settled.refuseTooHeavy(
        live: ClientSession,
        permits: Int,
    ) {
        for (waiter in live.waiting.values.filter { it.weight > maxOf(permits, 1) }) {
            leave(waiter)
            resumeWithException(waiter.continuation, errors.tooHeavy(waiter, permits))
        }
    }

    /** The ledger's queue was lost. This client's waiters queue again, in order. */
    private fun requeue(live: ClientSession) {
        val waiters = live.waiting.values.toList()
        live.waiting.clear()
        putBack(waiters)
    }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    /** Everything ends. Returns what to say goodbye with, if there is a session. */
    fun Settled.close(inbox: String): Exchange? {
        takeIn()
        closed = true
        val live = session?.takeIf { it.deadline > clock.nanos() }
        // What was on its way back goes with the session, at the latest.
        (inFlight.flatMap { it.allReleases } + outbox.releases).forEach { confirm(it, wasHeld = live != null) }
        val goodbye = live?.let { Exchange.goodbye(it.id, inbox, consumed = outbox.releases.count { permit -> permit.isConsumed }) }
        outbox.releases.clear()
        (live?.held?.toList().orEmpty() + inLimbo).forEach { lose(it) }
        inLimbo = emptyList()
        live?.waiting?.values?.forEach { fail(it, errors.closed()) }
        for (sent in inFlight) {
            sent.waiters.forEach { fail(it, errors.closed()) }
            sent.asks.forEach { fail(it, errors.closed()) }
        }
        inFlight.clear()
        failures.run { failOutbox(errors.closed()) }
        session = null
        return goodbye
    }
}
