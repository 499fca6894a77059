package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Declared
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionRecord

/**
 * What one client knows of one semaphore, and what follows from what it is asked to do, from the clock, and from the end of sessions;
 * what follows from answers and announcements is in [Heard].
 *
 * ```
 *            something to say               joined
 *   NONE ───────────────────────▶ OPENING ──────────▶ LIVE (session != null)
 *    ▲                              │                  │
 *    │        refused for good      │                  │ deadline passed, or the ledger knows no such session:
 *    └──────────────────────────────┴──────────────────┘ permits are lost, waiters go back to the outbox in their order
 * ```
 *
 * If the ledger no longer knows the state that the session was begun at although its deadline is ahead, the store may have lost data:
 * the permits are then kept [inLimbo] while a new session is opened that puts them back, and lost as far as it cannot or when their
 * old deadline passes.
 *
 * Decides and does not act: guarded by the coordinator's lock, it fills a [Settled] with what is to be done after that.
 */
internal class ClientState(
    private val coordinator: SemaphoreCoordinator,
    val settings: CoordinationSettings,
    val clock: NanoClock,
    val errors: CoordinationErrors,
) {
    val outbox = Outbox(settings)
    val inFlight = ArrayDeque<InFlight>(2)
    val schedule = Schedule(settings, clock)

    var handle = HandleSettings(declared = -1, bounded = true, longestMillis = 0, holdMillis = -1)
        set(value) {
            field = value.withLongest(longest)
        }

    @Volatile
    var session: ClientSession? = null
        private set

    /** The session whose permits are in limbo, or were lost with it. */
    @Volatile
    var previous: ClientSession? = null
        private set

    /** The last session, which the next one takes the place of. */
    var previousId: String = ""
        private set

    @Volatile
    var inLimbo: List<HeldPermit> = emptyList()
        private set
    var opening = false

    @Volatile
    var closed = false
    var lastProblem: Throwable? = null

    /** Whether it was said of the present refusal. */
    var isWarnedOf = false

    /** What the semaphore was created with, by whomever. */
    @Volatile
    var declared: Declared? = null
        private set
    var knownPermits = Int.MAX_VALUE

    /** The longest lease that a client may have, as stored; 0 for any. */
    private var longest = 0L

    /** The largest token that this client was granted, over all sessions. */
    var largestToken = 0L
        private set

    fun startFrom(token: Long) {
        largestToken = token
    }

    /** Whether a session's numbers have grown that are not in any exchange. Read without the lock. */
    @Volatile
    private var unsaid = false

    /** Whether permits or waiters depend on the session being kept alive. */
    val isEngaged: Boolean get() = session?.isEngaged() ?: false

    /** A look without the lock: what is not seen here is seen by whoever holds the lock now. */
    val hasSomethingToSay: Boolean get() = unsaid || !outbox.isEmpty || outbox.beat || inLimbo.isNotEmpty()

    /** After a refusal that will not pass soon: until then only those who have just begun to ask have an exchange leave. */
    private var heldBackUntil = Long.MIN_VALUE
    private var refusals = 0

    val isHeldBack: Boolean get() = refusals > 0 && outbox.acquires.isEmpty() && outbox.asks.isEmpty() && clock.nanos() < heldBackUntil

    /** When those that wait for others leave at the latest; set with the first of them, until an exchange leaves. */
    private var gatheringUntil = Long.MAX_VALUE

    /**
     * Whether acquires wait for others of this client to leave with them. While it is this session's turn and others are queued, whoever asks
     * comes behind these anyway; and if two processes each said at once who asks, their queue would be cut into ever smaller runs, each with
     * a hand-off of its own.
     */
    val isGathering: Boolean
        get() {
            val live = session
            if (live == null || !live.cohort.waits || live.queuedHeard == 0 || unsaid || outbox.beat || !outbox.isOnlyAcquires) return false
            val now = clock.nanos()
            if (gatheringUntil == Long.MAX_VALUE) {
                gatheringUntil = now + CoordinationSettings.GATHERING_NANOS
                schedule.retryAt(gatheringUntil)
            }
            return now < gatheringUntil
        }

    /** An exchange was refused as a whole; [waiters], who had a place before, wait on. */
    fun refused(waiters: List<Waiter>) {
        session?.rosters?.repeat()
        unsaid = true
        heldBackUntil = clock.nanos() + settings.backoffNanos(refusals++)
        putBack(waiters)
        schedule.retryAt(heldBackUntil)
    }

    /** When the last exchange that was answered had been sent. */
    private var answeredFrom = Long.MIN_VALUE

    /** What was sent at [sentAt] is answered. */
    fun accepted(sentAt: Long) {
        answeredFrom = maxOf(answeredFrom, sentAt)
        lastProblem = null
        isWarnedOf = false
        refusals = 0
    }

    /** Whether the store has answered nothing that was sent since [moment], and not for want of time. */
    fun isCutOff(
        moment: Long,
        isReachable: Boolean,
    ): Boolean =
        !closed && answeredFrom < moment &&
            (!isReachable || lastProblem != null || clock.nanos() - moment >= CoordinationSettings.SILENCE_NANOS)

    val wantsSession: Boolean get() = session == null && (!outbox.isEmpty || inLimbo.isNotEmpty())

    /**
     * A second exchange may follow one that asks for nothing: an acquire need not wait for the answer to the release before it. Not one that has
     * failed: behind it there is nothing to be had, and who is in none is told so when it is refused.
     */
    val mayLeave: Boolean
        get() = session != null && (inFlight.isEmpty() || (inFlight.size == 1 && inFlight[0].mayBeFollowed))

    // ---- sessions ----------------------------------------------------------------------------------------------------------

    /** Puts back what was [putBack] when [opening] was made, as far as it was taken; those lost or released since are given back. */
    fun joined(
        request: Opening,
        joined: Opened.Joined,
        sentAt: Long,
        putBack: List<HeldPermit>,
        settled: Settled,
    ) {
        opening = false
        accepted(sentAt)
        val began =
            ClientSession(request.session, joined.epoch, sentAt + settings.usableNanos, SessionRecord(given = joined.width.toLong()))
        began.calm = false
        began.inbox = request.inbox
        began.permits = joined.permits
        began.serverNow = joined.now
        began.sentAtServerNow = sentAt
        session = began
        knownPermits = joined.permits
        declared = joined.declared
        longest = joined.longestMillis
        handle = handle
        schedule.began(sentAt)
        // Moments of the old state's clock.
        previous?.let { over -> inLimbo.forEach { if (it.keptUntil > 0) it.keptUntil += began.serverNow - over.serverTime(sentAt) } }
        val (listed, plain) = putBack.partition { it.isListed }
        val kept = (plain.take(joined.width) + listed.filter { it.fencingToken in joined.listed }).toHashSet()
        // Looked at once: a release needs no lock, and one that is counted as held here is taken back from the new session later.
        val held = kept.filterTo(HashSet()) { it.state == PermitState.HELD }
        for (permit in inLimbo) {
            when (permit) {
                !in kept -> loseOrConfirm(permit, Loss.DATA_LOST, settled)
                in held -> hold(began, permit)
            }
        }
        began.cohort.begin(joined.width, held = held.count { !it.isListed })
        // Some may have left the limbo before the answer came: lost, or released and told so.
        for (permit in kept - held) {
            if (permit.isListed) {
                sendBack(permit)
            } else {
                permit.returnedAs = began.cohort.words.returned
                began.unconfirmed.addLast(permit)
            }
        }
        inLimbo = emptyList()
        // Ending the previous session may have freed permits that others wait for: an exchange hands them on.
        if (previousId.isNotEmpty()) outbox.beat = true
        previous = null
        previousId = ""
    }

    private fun hold(
        live: ClientSession,
        permit: HeldPermit,
    ) {
        permit.session = live
        if (permit.isListed) {
            live.listed.add(permit)
        } else {
            live.plain.add(permit)
            live.rosters.started(permit)
        }
    }

    /** No session can be had: everything that waits for one fails with [error]. */
    fun giveUp(
        error: Throwable,
        settled: Settled,
    ) {
        opening = false
        loseLimbo(Loss.DATA_LOST, settled)
        failOutbox(error, settled)
    }

    fun failOutbox(
        error: Throwable,
        settled: Settled,
    ) {
        outbox.acquires.forEach { settled.fail(it, error) }
        outbox.releases.forEach { settled.confirm(it, wasHeld = false) }
        outbox.asks.forEach { settled.fail(it, error) }
        outbox.clear()
    }

    private fun loseLimbo(
        why: Loss,
        settled: Settled,
    ) {
        inLimbo.forEach { loseOrConfirm(it, why, settled) }
        inLimbo = emptyList()
    }

    private fun loseOrConfirm(
        permit: HeldPermit,
        why: Loss,
        settled: Settled,
    ) = if (permit.state == PermitState.HELD) settled.lose(permit, why) else settled.confirm(permit, wasHeld = false)

    /**
     * The session is over. If the store has [Loss.DATA_LOST] its permits wait in limbo to be put back by the next session; else they are lost.
     * Acquires that have not ended go back to the outbox in their order.
     */
    fun endSession(
        why: Loss,
        settled: Settled,
    ) {
        val over = session ?: return
        session = null
        unsaid = false
        previous = over
        previousId = over.id
        settled.afterwards { coordinator.forget(over) }
        val held = over.plain.toList().sortedBy { it.fencingToken } + over.listed.toList()
        if (why == Loss.DATA_LOST && over.deadline > clock.nanos()) inLimbo = held else held.forEach { settled.lose(it, why) }

        (over.unconfirmed + outbox.releases + inFlight.flatMap { it.releases }).forEach { settled.confirm(it, wasHeld = false) }
        outbox.releases.clear()
        outbox.leaves.clear()
        inFlight.asReversed().forEach { sent -> sent.asks.asReversed().forEach { putBackOrFail(it, settled) } }
        val sent = inFlight.flatMap { it.waiters }.filter { it.state == Waiter.State.SENT }
        inFlight.clear()
        val queued = over.waiting.values.filter { it.state == Waiter.State.QUEUED }
        val waiting = (over.cohort.takeLine() + sent + queued).sortedBy { it.sequence }
        // Else each permit tells of it. Who has only just asked has lost nothing.
        val places = waiting.count { it.wasQueued }
        if (held.isEmpty() && places > 0) settled.afterwards { Loss.reportSession(errors.subject, places, why) }
        putBack(waiting)
    }

    private fun putBackOrFail(
        ask: Ask,
        settled: Settled,
    ) {
        when (ask.command) {
            is Command.AddPermits -> settled.fail(ask, errors.interrupted("it may or may not have added the permits"))
            is Command.Extend -> settled.fail(ask, errors.interrupted("the permit was lost with it"))
            is Command.Signal -> settled.fail(ask, errors.interrupted("it may or may not have been set"))
            is Command.Revoke, is Command.Enforce -> settled.fail(ask, errors.interrupted("the permit may or may not have been revoked"))
            is Command.Clear, is Command.Resize, is Command.Redeclare, null -> outbox.asks.addFirst(ask)
        }
    }

    fun putBack(waiters: List<Waiter>) {
        for (waiter in waiters.asReversed()) {
            waiter.state = Waiter.State.PENDING
            waiter.sequence = -1
            waiter.ticket = -1
            outbox.acquires.addFirst(waiter)
        }
    }

    /** Declares lost what is past its deadline: the session with all its permits, permits in limbo, [permit] by its max hold. */
    fun loseWhatIsOver(
        permit: HeldPermit?,
        settled: Settled,
    ) {
        val now = clock.nanos()
        session?.let { if (it.deadline <= now) endSession(Loss.NOT_RENEWED, settled) }
        if (inLimbo.isNotEmpty() && previous!!.deadline <= now) loseLimbo(Loss.DATA_LOST, settled)
        if (permit != null && permit.holdDeadline <= now && permit.state == PermitState.HELD) {
            permit.session?.takeIf { it === session }?.listed?.remove(permit)
            settled.lose(permit, Loss.MAX_HOLD)
            // Not left to the server's clock: given back as soon as its holder may not use it any more.
            if (permit.session === session) sendBack(permit)
        }
    }

    /** A look without the lock, which decides nothing. */
    val isOver: Boolean
        get() {
            val deadline = session?.deadline ?: if (inLimbo.isNotEmpty()) previous?.deadline else null
            return deadline != null && deadline <= clock.nanos()
        }

    fun usage(): Coordinator.Usage {
        val live = session
        val held = inLimbo.sumOf { it.permits } + (live?.run { cohort.running + listed.toList().sumOf { it.permits } } ?: 0)
        val sent = inFlight.sumOf { sent -> sent.waiters.count { it.state == Waiter.State.SENT } }
        val waiting = (live?.run { waiting.size + cohort.waitingCount } ?: 0) + sent +
            outbox.acquires.count { it.state == Waiter.State.PENDING } + outbox.intake.count { it is Waiter }
        return Coordinator.Usage(held, waiting)
    }

    fun tooHeavy(
        waiter: Waiter,
        permits: Int,
    ) = errors.tooHeavy(waiter.weight, permits, declared?.permits ?: 0)

    // ---- operations --------------------------------------------------------------------------------------------------------

    fun abandon(waiter: Waiter) {
        when (waiter.state) {
            Waiter.State.PENDING -> waiter.state = Waiter.State.DONE
            Waiter.State.SENT -> waiter.state = Waiter.State.ABANDONED
            Waiter.State.QUEUED -> leave(waiter)
            Waiter.State.ADMITTED -> drop(waiter)
            Waiter.State.ABANDONED, Waiter.State.DONE -> Unit
        }
    }

    private fun drop(waiter: Waiter) {
        val cohort = session!!.cohort
        cohort.drop(waiter)
        cohort.returnSurplus()
        // Nobody else may have the turn before it is told.
        if (cohort.isWorkedOff) outbox.beat = true
    }

    fun leave(waiter: Waiter) {
        val live = session ?: return
        waiter.state = Waiter.State.ABANDONED
        live.waiting.remove(waiter.sequence)
        live.abandoned[waiter.sequence] = waiter
        outbox.leaves.addLast(waiter)
    }

    /** Sorts what the hot path has asked for. */
    fun takeIn(settled: Settled) {
        while (true) {
            val wish = outbox.intake.poll() ?: return
            when {
                wish is HeldPermit -> takeBack(wish, settled)
                closed -> settled.fail(wish as Waiter, errors.closed())
                else -> outbox.acquires.addLast(wish as Waiter)
            }
        }
    }

    /** [permit] has just become RELEASED. */
    private fun takeBack(
        permit: HeldPermit,
        settled: Settled,
    ) {
        permit.takeListeners()
        permit.holdTimer?.cancel()
        settled.released(permit)
        val live = permit.session
        when {
            live == null || live !== session -> if (live !== previous || permit !in inLimbo) settled.confirm(permit, wasHeld = false)

            permit.isListed -> {
                live.listed.remove(permit)
                sendBack(permit)
            }

            else -> handOnOrReturn(live, permit, settled)
        }
    }

    private fun handOnOrReturn(
        live: ClientSession,
        permit: HeldPermit,
        settled: Settled,
    ) {
        live.plain.remove(permit)
        live.rosters.ended(permit)
        val next = live.cohort.release(wasSeen = !permit.isUnseen)
        if (next != null) {
            start(live, next, live.heldHeard, settled)
            if (!live.rosters.handedOn) {
                live.rosters.handedOn()
                schedule.rosterBy(clock.nanos() + Rosters.LATEST_NANOS)
            }
            settled.confirm(permit, wasHeld = true)
        } else {
            permit.returnedAs = live.cohort.returned
            if (permit.awaiting != null) live.unconfirmed.addLast(permit)
            unsaid = true
        }
    }

    /** Gives up what is held under [token], because somebody with the label [by] has revoked it; nothing if it is not held any more. */
    fun revoke(
        live: ClientSession,
        token: Long,
        by: String,
        settled: Settled,
    ) {
        val permit =
            (live.plain.toList() + live.listed.toList()).firstOrNull { it.fencingToken == token && it.state == PermitState.HELD } ?: return
        permit.revokedBy = by
        settled.lose(permit, Loss.REVOKED)
        if (permit.state != PermitState.LOST) return
        // Whoever revokes it wants it free.
        permit.keptUntil = 0
        if (permit.isListed) {
            live.listed.remove(permit)
            sendBack(permit)
        } else {
            handOnOrReturn(live, permit, settled)
        }
    }

    /** Somebody with the label [by] has ended the semaphore. */
    fun deleted(
        by: String,
        settled: Settled,
    ) {
        endSession(Loss.DELETED, settled)
        failOutbox(errors.deleted(by), settled)
        previousId = ""
    }

    /** This client has declared another count itself. */
    fun redeclared(permits: Int) {
        declared = declared?.copy(permits = permits)
        handle = handle.run { HandleSettings(if (this.declared < 0) -1 else permits, bounded, longestMillis, holdMillis, onMismatch) }
    }

    /** Whether [permit] is used up: false if it is not held any more. */
    fun consume(
        permit: HeldPermit,
        settled: Settled,
    ): Boolean {
        loseWhatIsOver(null, settled)
        val live = permit.session
        if (closed || live == null || live !== session || !permit.markReleased()) return false
        live.plain.remove(permit)
        live.rosters.ended(permit)
        live.cohort.consume()
        unsaid = true
        settled.released(permit)
        return true
    }

    private fun sendBack(permit: HeldPermit) {
        if (permit.isReturning) return
        permit.isReturning = true
        outbox.releases.addLast(permit)
    }

    /** Starts admitted waiters as far as there are permits; permits that nobody is there for go back. */
    fun advance(
        live: ClientSession,
        settled: Settled,
    ) {
        val cohort = live.cohort
        var holders = cohort.heldAtGift - cohort.givenToLine
        while (true) start(live, cohort.startNext() ?: break, ++holders, settled)
        cohort.returnSurplus()
        if (cohort.returned > live.record.returned) unsaid = true
    }

    private fun start(
        live: ClientSession,
        waiter: Waiter,
        holders: Int,
        settled: Settled,
    ) {
        val known = if (waiter.holders > 0) waiter.holders else maxOf(holders, 1)
        val permit = HeldPermit(coordinator, waiter.token, 1, known, limited = false, clock.nanos())
        grant(live, waiter, permit, settled)
        // The next in the queue is admitted while these permits are still held.
        if (live.cohort.isWorkedOff && live.queuedHeard > 0) outbox.beat = true
    }

    fun grant(
        live: ClientSession,
        waiter: Waiter,
        permit: HeldPermit,
        settled: Settled,
    ) {
        hold(live, permit)
        largestToken = maxOf(largestToken, permit.fencingToken)
        waiter.state = Waiter.State.DONE
        waiter.permit = permit
        settled.resume(waiter)
    }

    /** Ends the hold of [permit] a little before the server does: [holdMillis] after [from], less 1/32 for unlike clocks. */
    fun limit(
        permit: HeldPermit,
        from: Long,
        holdMillis: Long,
        settled: Settled,
    ) {
        val nanos = holdMillis * CoordinationSettings.NANOS
        permit.holdDeadline = from + nanos - nanos / 32
        settled.afterwards { coordinator.watchHold(permit) }
    }

    /** The next exchange, or `null` if there is nothing to say or no way to say it now. */
    fun compose(inbox: String): InFlight? {
        val live = session
        if (closed || live == null || !mayLeave) return null
        val now = clock.nanos()
        unsaid = false
        gatheringUntil = Long.MAX_VALUE
        val composed = outbox.compose(live, inFlight.lastOrNull(), inbox, now) ?: return null
        inFlight.addLast(composed)
        schedule.sent(now)
        return composed
    }

    // ---- rest --------------------------------------------------------------------------------------------------------------

    /** Whether nothing is held, waited for, asked or unsaid. */
    val isIdle: Boolean
        get() = !opening && inFlight.isEmpty() && outbox.isEmpty && !outbox.beat && inLimbo.isEmpty() &&
            session.let { it == null || (!it.isEngaged() && it.abandoned.isEmpty() && !it.cohort.hasGap) }

    /** Lets the session lapse: whatever is asked for next begins another one. */
    fun rest(settled: Settled) {
        session?.let {
            previousId = it.id
            settled.afterwards { coordinator.forget(it) }
        }
        session = null
        previous = null
        unsaid = false
    }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    /** What a client leaves behind: its last word, and the releases that this confirms. */
    inner class Goodbye(
        val session: ClientSession,
        private val inbox: String,
        val confirming: List<HeldPermit>,
        /** Listed permits that are kept: the end of the session alone would free them. */
        private val kept: List<HeldPermit>,
        /** Exchanges with acquires that may have joined the queue. */
        val unanswered: List<InFlight>,
    ) {
        private val places = (session.waiting.values + session.abandoned.values).filter { it.ticket >= 0 }

        fun exchange(): Exchange =
            Exchange(
                session = session.id,
                number = 0,
                epoch = session.epoch,
                inbox = inbox,
                words = session.cohort.words,
                releases = kept.map { it.asReleased() },
                leaves = outbox.placesOf((places + unanswered.flatMap { it.queued() }).sortedBy { it.sequence }),
                goodbye = true,
            )
    }

    /** Everything ends. Returns what is left to say; `null` if there is no session to say it for. */
    fun close(
        inbox: String,
        settled: Settled,
    ): Goodbye? {
        takeIn(settled)
        closed = true
        val live = session?.takeIf { it.deadline > clock.nanos() }
        // What was on its way back goes with the session, at the latest.
        val returning = session?.unconfirmed.orEmpty() + inFlight.flatMap { it.releases } + outbox.releases
        if (live == null) returning.forEach { settled.confirm(it, wasHeld = false) }
        val goodbye =
            live?.let {
                val confirming = returning.filter { permit -> permit.awaiting != null }
                val kept = (returning + it.listed.toList()).filter { permit -> permit.keptUntil > 0 }
                Goodbye(it, inbox, confirming, kept, inFlight.filter { sent -> sent.waiters.isNotEmpty() })
            }
        outbox.releases.clear()
        session?.run { (plain.toList() + listed.toList()).forEach { settled.lose(it, Loss.CLOSED) } }
        loseLimbo(Loss.CLOSED, settled)
        session?.run { (cohort.takeLine() + waiting.values).forEach { settled.fail(it, errors.closed()) } }
        for (sent in inFlight) {
            sent.waiters.forEach { settled.fail(it, errors.closed()) }
            sent.asks.forEach { settled.fail(it, errors.closed()) }
        }
        inFlight.clear()
        failOutbox(errors.closed(), settled)
        session = null
        unsaid = false
        return goodbye
    }
}
