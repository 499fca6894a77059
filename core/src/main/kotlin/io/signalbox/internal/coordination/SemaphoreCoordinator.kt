package io.signalbox.internal.coordination

import io.signalbox.internal.Observers
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import java.util.concurrent.Executor
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One client's side of one semaphore (or what is kept like one): turns what its coroutines want into numbered exchanges, and answers into grants.
 *
 * Group commit: while an exchange is in flight, operations collect in the [Outbox] and leave together in the next. There is no
 * timer on that path; who adds an operation, or receives an answer, has an exchange leave, and that carries what there is when it is
 * written.
 *
 * This is the shell: [ClientState] decides, under [lock]; continuations and listeners run after it was released, see [settle].
 */
internal class SemaphoreCoordinator(
    override val subject: LedgerName,
    private val ledger: Ledger,
    client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val observers: Observers,
    private val elsewhere: Executor,
) : SessionListener,
    Coordinator,
    PermitKeeper<HeldPermit> {
    private val lock = ReentrantLock()
    override val errors = CoordinationErrors(subject, settings)
    private val state = ClientState(this, settings, clock, errors)
    private val heard = Heard(this, state)
    private val failures = Failures(state)
    private val openings = Openings(client, ledger, settings, clock)
    private val farewell = CompletableDeferred<Unit>()
    private var departure: Departure? = null

    @Volatile
    private var lineIsFull = false

    @Volatile
    private var delivering = false

    // ---- joining -----------------------------------------------------------------------------------------------------------

    /** Creates or joins; the first session begins with it. Returns false if there is nothing to join. */
    suspend fun join(wanted: HandleSettings): Boolean {
        var request = openings.first(wanted)
        var sentAt: Long
        var opened: Opened
        while (true) {
            ledger.listen(request.session, this)
            sentAt = clock.nanos()
            opened =
                retrying {
                    sentAt = clock.nanos()
                    ledger.open(subject, request)
                }
            if (opened != Opened.Over) break
            // An earlier attempt has begun it, too long ago: this process was frozen meanwhile, or the answer was.
            ledger.forget(request.session)
            request = openings.first(wanted)
        }
        if (opened is Opened.Joined) {
            settle {
                state.handle = wanted
                state.joined(request, opened, sentAt, putBack = emptyList(), it)
            }
            ledger.enlist(subject)
            scope.launch { watch() }
            return true
        }
        ledger.forget(request.session)
        when (opened) {
            is Opened.Mismatch -> throw errors.mismatch(wanted.asDeclared, opened.declared)
            is Opened.Unreadable -> throw errors.unreadable(opened.format)
            else -> return false
        }
    }

    /** As [join], for a handle that has joined. It may have been attached; now it can create the semaphore anew after a loss of data. */
    override fun declare(wanted: HandleSettings) {
        val declared = checkNotNull(state.declared) { "Not joined yet." }
        if (wanted.asDeclared != declared) throw errors.mismatch(wanted.asDeclared, declared)
        settle { state.handle = wanted }
    }

    /** Repeats [request] until it is answered, for at most the store timeout. */
    suspend fun <T> retrying(request: suspend () -> T): T =
        settings.retrying({ last -> errors.unavailable("nothing was changed yet", last) }, request)

    /** Opens a new session in place of a lost one; runs in [scope] until it succeeds or nobody wants it any more. */
    private suspend fun reopen() {
        var attempt = 0
        // One request for all attempts: an earlier one may still arrive, and must not begin a session of its own.
        var prepared = settle { openings.next(state) }
        ledger.listen(prepared.request.session, this)
        while (settle { stillWanted() }) {
            val sentAt = clock.nanos()
            when (val outcome = attempt(prepared.request)) {
                is Opened.Joined -> return settle { state.joined(prepared.request, outcome, sentAt, prepared.putBack, it) }

                is Opened.Mismatch -> return settle { state.giveUp(errors.mismatch(state.handle.asDeclared, outcome.declared), it) }

                is Opened.Unreadable -> return settle { state.giveUp(errors.unreadable(outcome.format), it) }

                Opened.NotFound -> settle { state.lastProblem = errors.notFound() }

                // An earlier attempt has begun it, too long ago.
                Opened.Over -> {
                    ledger.forget(prepared.request.session)
                    prepared = settle { openings.next(state) }
                    ledger.listen(prepared.request.session, this)
                }

                null -> if (!state.opening) return
            }
            delay(settings.backoffNanos(attempt++).nanoseconds)
        }
        ledger.forget(prepared.request.session)
    }

    /** One try to open; `null` if it failed. */
    private suspend fun attempt(request: Opening): Opened? =
        try {
            ledger.open(subject, request)
        } catch (failure: LedgerFailure) {
            settle {
                state.lastProblem = failure.error
                if (failure.final) state.giveUp(failure.error, it)
            }
            null
        }

    private fun stillWanted(): Boolean {
        state.opening = !state.closed && (state.wantsSession || state.wantsRefresh)
        return state.opening
    }

    // ---- operations --------------------------------------------------------------------------------------------------------

    /** Suspends until granted; `null` if refused, which only happens to an acquire that does not wait. */
    suspend fun acquire(
        weight: Int,
        waits: Boolean,
    ): HeldPermit? =
        suspendCancellableCoroutine { continuation ->
            val waiter = Waiter(weight, waits, state.handle.holdMillis, clock.nanos(), continuation)
            state.outbox.intake.add(waiter)
            continuation.invokeOnCancellation { abandon(waiter) }
            pump()
        }

    private fun abandon(waiter: Waiter) =
        settle {
            state.takeIn(it)
            state.abandon(waiter)
        }

    override fun handBack(permit: HeldPermit) {
        state.outbox.intake.add(permit)
        pump()
    }

    /** See [HeldPermit.consume]. */
    fun consume(permit: HeldPermit): Boolean = settle { state.consume(permit, it) }

    override suspend fun extend(
        permit: HeldPermit,
        hold: Duration,
    ): Boolean {
        val millis = wholeMillis("hold", hold, MAX_HOLD)
        check(permit.limited) { "${subject.title} has no maxHold, so there is nothing to extend." }
        if (permit.state == PermitState.RELEASED) throw errors.released(permit)
        if (permit.isLost) return false
        val asked = ask(Command.Extend(ListedGrant(permit.fencingToken, permit.permits), millis))
        if (asked.result == 1) settle { state.limit(permit, asked.sentAt, millis, it) }
        return asked.result == 1 && !permit.isLost
    }

    /** Suspends until an exchange that carried [command] was answered; without a command, any exchange sent from now on. */
    suspend fun ask(command: Command?): Asked {
        val ask = Ask(command, clock.nanos())
        settle { if (state.closed) it.fail(ask, errors.closed()) else state.outbox.asks.addLast(ask) }
        return ask.result.await()
    }

    /** Suspends until the ledger has heard all that was given back here before; for questions that do not travel in an exchange. */
    suspend fun sayAll() {
        val unsaid = settle {
            it.run { state.takeIn(this) }
            state.session?.hasUnsaid ?: false
        }
        if (unsaid) ask(null)
    }

    fun checkOpen() {
        if (state.closed) throw errors.closed()
    }

    // ---- exchanges ---------------------------------------------------------------------------------------------------------

    /**
     * Has an exchange leave if there is something to say. Called after everything that can give something to say; does nothing most
     * of the time.
     *
     * Nobody waits for the lock here: whoever holds it, or is about to leave, or waits for the answer of a full line, calls this
     * afterwards and finds what was added meanwhile.
     */
    private fun pump(mayDepart: Boolean = true) {
        while (!delivering && (!lineIsFull || !state.outbox.intake.isEmpty()) && state.hasSomethingToSay && lock.tryLock()) {
            val settled = Settled(subject, observers, clock)
            val leaving =
                try {
                    state.takeIn(settled)
                    if (mayDepart) depart() else null
                } finally {
                    lock.unlock()
                }
            settled.deliver(elsewhere)
            if (leaving != null) return deliver(leaving)
            // What was added while the lock was held has not been seen by its owner's attempt.
            if (state.outbox.intake.isEmpty()) return
        }
    }

    /** An exchange that is on its way to the connection. What is in it is decided when that writes it. */
    private class Departure(
        val since: Long,
    ) {
        var sent: InFlight? = null
    }

    private fun depart(): Departure? {
        if (state.closed || departure != null) return null
        if (state.wantsSession && !state.opening) startReopening()
        if (!state.hasSomethingToSay || !state.mayLeave || state.isHeldBack) return null
        val leaving = Departure(clock.nanos())
        departure = leaving
        state.schedule.ringIfBefore(leaving.since + settings.tickNanos)
        judgeLine()
        return leaving
    }

    /** Decides what leaves with [leaving], unless that was decided before. */
    private fun load(leaving: Departure): InFlight? {
        val settled = Settled(subject, observers, clock)
        lock.withLock { load(leaving, settled) }
        settled.deliver(elsewhere)
        // In the middle of writing: what was handed in meanwhile is handed on, and leaves later.
        if (!state.outbox.intake.isEmpty()) pump(mayDepart = false)
        return leaving.sent
    }

    private fun load(
        leaving: Departure,
        settled: Settled,
    ) {
        if (departure !== leaving) return
        departure = null
        state.takeIn(settled)
        leaving.sent = state.compose(ledger.inbox())
        judgeLine()
    }

    /** How many exchanges may be under way is the state's to say; the next composes what the answers have left to say. */
    private fun judgeLine() {
        lineIsFull = departure != null || (state.session != null && !state.mayLeave)
    }

    private fun startReopening() {
        state.opening = true
        scope.launch { reopen() }
        state.schedule.ring()
    }

    private fun deliver(leaving: Departure) {
        ledger.exchange(subject, Ledger.FIRST_DELIVERY, { load(leaving)?.exchange }) { answer, failure ->
            load(leaving).let { sent -> replied(sent, answer, failure) }
        }
    }

    private fun repeat(
        sent: InFlight,
        silentSince: Long,
    ) {
        ledger.exchange(subject, silentSince, { sent.exchange }) { answer, failure -> replied(sent, answer, failure) }
    }

    private fun replied(
        sent: InFlight?,
        answer: Answer?,
        failure: LedgerFailure?,
    ) = settle {
        when {
            sent == null -> Unit
            answer != null -> heard.answered(sent, answer, it)
            failure != null -> failures.failed(sent, failure, it)
        }
    }

    override fun onAnnouncement(announcement: Announcement) {
        // A process that was frozen past its deadline must not act on an old announcement.
        loseWhatIsOver()
        settle { heard.announced(announcement, it) }
    }

    override fun onInboxChanged() {
        settle { if (state.session?.run { waiting.isNotEmpty() || cohort.waits } == true) state.outbox.beat = true }
    }

    /** Runs [decide] under the lock; what it settles reaches user code after that; then sends what there is to send. */
    private fun <T> settle(decide: (Settled) -> T): T {
        val settled = Settled(subject, observers, clock)
        val result = lock.withLock { decide(settled).also { judgeLine() } }
        if (!settled.isEmpty) {
            // Whoever is resumed has more to say: let it collect, instead of sending the first word alone.
            delivering = true
            try {
                settled.deliver(elsewhere)
            } finally {
                delivering = false
            }
        }
        pump()
        return result
    }

    // ---- time --------------------------------------------------------------------------------------------------------------

    /** Looks after the semaphore until the client is closed: heartbeats, repetitions, deadlines. Sleeps while it is idle. */
    private suspend fun watch() {
        while (true) {
            state.schedule.sleep(settle { state.schedule.plan(state, departing = departure != null) })
            if (state.closed) return
            look()
        }
    }

    private fun look() {
        loseWhatIsOver()
        val repeated =
            settle {
                state.takeIn(it)
                failures.failOverdue(it)
                if (state.schedule.isBeatDue(state.isEngaged)) state.outbox.beat = true
                if (state.schedule.isRefreshDue()) refresh()
                val now = clock.nanos()
                // Held up before it was written: decided now, and repeated on the way that every unanswered exchange is.
                departure?.takeIf { it.since + settings.patienceNanos <= now }?.let { heldUp ->
                    load(heldUp, it)
                    heldUp.sent?.lastSentAt = heldUp.since
                }
                state.inFlight.filter { it.isToBeRepeated(now, settings.patienceNanos) }.map { it to it.repeated(now) }
            }
        repeated.forEach { (sent, silentSince) -> repeat(sent, silentSince) }
    }

    private fun refresh() {
        if (state.session != null) {
            state.outbox.beat = true
        } else {
            state.wantsRefresh = true
            if (!state.opening) startReopening()
        }
        ledger.enlist(subject)
        state.schedule.refreshed()
    }

    /** Declares lost what is past its deadline. */
    private fun loseWhatIsOver() {
        if (state.isOver) settle { state.loseWhatIsOver(null, it) }
    }

    override fun loseIfOver(permit: HeldPermit) {
        if (permit.state == PermitState.HELD && permit.isOver(clock.nanos())) settle { state.loseWhatIsOver(permit, it) }
    }

    fun watchHold(permit: HeldPermit) {
        permit.holdTimer?.cancel()
        permit.holdTimer =
            scope.launch {
                delay((permit.holdDeadline - clock.nanos()).nanoseconds)
                loseIfOver(permit)
            }
        if (permit.state != PermitState.HELD) permit.holdTimer?.cancel()
    }

    fun forget(session: ClientSession) = ledger.forget(session.id)

    // ---- the end -----------------------------------------------------------------------------------------------------------

    /** Fails what waits, gives back what is held, and says goodbye. Idempotent. */
    override fun close() {
        val goodbye =
            settle {
                val goodbye = if (state.closed) null else state.close(ledger.inbox(), it)
                departure = null
                if (goodbye?.exchange == null) farewell.complete(Unit)
                state.schedule.ring()
                goodbye
            }
        if (goodbye?.exchange != null) scope.launch { say(goodbye, goodbye.exchange) }
    }

    /** Says goodbye until it is answered, and again while that leaves something to do. */
    private suspend fun say(
        goodbye: ClientState.Goodbye,
        words: Exchange,
    ) {
        var attempt = 0
        try {
            while (!farewell.isCompleted) {
                val reply = CompletableDeferred<Answer?>()
                ledger.exchange(subject, Ledger.FIRST_DELIVERY, { words }) { answer, _ -> reply.complete(answer) }
                withTimeoutOrNull(settings.patienceNanos.nanoseconds) {
                    val answer = reply.await()
                    when {
                        answer == null -> delay(settings.backoffNanos(attempt++).nanoseconds)

                        answer is Answer.Done && answer.more -> Unit

                        else -> {
                            settle { for (permit in goodbye.confirming) it.confirm(permit, wasHeld = answer is Answer.Done) }
                            farewell.complete(Unit)
                        }
                    }
                }
            }
        } finally {
            // Nobody knows.
            if (!farewell.isCompleted) settle { for (permit in goodbye.confirming) it.confirm(permit, wasHeld = false) }
            ledger.forget(words.session)
        }
    }

    override suspend fun awaitFarewell() = farewell.await()
}
