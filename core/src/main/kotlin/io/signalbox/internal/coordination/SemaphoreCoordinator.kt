package io.signalbox.internal.coordination

import io.signalbox.OnMismatch
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ClientTime
import io.signalbox.internal.Observers
import io.signalbox.internal.errorSafely
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Command
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
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.Logger
import org.slf4j.LoggerFactory

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
    private val engaged: Engaged = Engaged(),
) : SessionListener,
    Coordinator,
    PermitKeeper<HeldPermit> {
    private val lock = ReentrantLock()
    val errors = CoordinationErrors(subject, settings)
    private val state = ClientState(this, settings, clock, errors)
    private val heard = Heard(this, state)
    private val failures = Failures(state)
    private val openings = Openings(client, ledger, settings, clock)
    private val parting = Parting(subject, ledger, settings, clock)
    private val farewell = CompletableDeferred<Unit>()
    private var departure: Departure? = null
    private var isWatched = false

    @Volatile
    private var isEnlisted = false
    private val longHolds = LongHolds(settings.holdWarningNanos)

    @Volatile
    override var handle: Any? = null

    @Volatile
    private var lineIsFull = false

    @Volatile
    private var delivering = false

    // ---- joining -----------------------------------------------------------------------------------------------------------

    /** Creates or joins; the first session begins with it. Returns false if there is nothing to join. */
    suspend fun join(wanted: HandleSettings): Boolean {
        state.startFrom(engaged.largestToken)
        var request = openings.first(wanted, state.largestToken)
        var joined = false
        var sentAt: Long
        var opened: Opened
        try {
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
                request = openings.first(wanted, state.largestToken)
            }
            joined = opened is Opened.Joined
        } finally {
            if (!joined) ledger.forget(request.session)
        }
        when (opened) {
            is Opened.Joined -> {
                settle {
                    state.handle = wanted
                    state.joined(request, opened, sentAt, putBack = emptyList(), it)
                    // Who waits for more permits than there were is served by an exchange.
                    if (wanted.onMismatch == OnMismatch.RESIZE) state.outbox.beat = true
                    startWatching()
                }
                enlist()
                return true
            }

            is Opened.Mismatch -> throw errors.mismatch(wanted.asDeclared, opened.declared)
            is Opened.Unreadable -> throw errors.unreadable(opened.format)
            is Opened.LeaseTooLong -> throw errors.leaseTooLong(opened.longestMillis)
            else -> return false
        }
    }

    /** [join] that waits for the first use: the session that begins then is the first. */
    fun joinLater(wanted: HandleSettings) {
        settle {
            state.startFrom(engaged.largestToken)
            state.handle = wanted
        }
    }

    private fun enlist() {
        if (isEnlisted) return
        isEnlisted = true
        ledger.enlist(subject)
    }

    /** What is done once, before the first session begins. */
    suspend fun prepare() {
        if (state.declared == null) ledger.prepare()
    }

    override suspend fun awaitJoined() {
        if (state.declared != null) return
        ledger.prepare()
        ask(null)
    }

    override fun requireDeclared(wanted: HandleSettings) {
        val declared = state.declared ?: state.handle.asDeclared
        if (wanted.onMismatch == OnMismatch.ATTACH) return
        if (wanted.asDeclared != declared) throw errors.mismatch(wanted.asDeclared, declared)
    }

    /** As [join], for a handle that is known. It may have been attached; now it can create the semaphore anew after a loss of data. */
    override suspend fun declare(wanted: HandleSettings) {
        if (wanted.onMismatch != OnMismatch.RESIZE) requireDeclared(wanted)
        awaitJoined()
        if (wanted.onMismatch == OnMismatch.RESIZE && wanted.asDeclared != state.declared) redeclare(wanted.declared)
        settle { state.handle = wanted }
    }

    /** Repeats [request] until it is answered, for at most the store timeout. */
    suspend fun <T> retrying(request: suspend () -> T): T =
        settings.retrying({ last -> errors.unavailable("nothing was changed yet", last) }, request = request)

    /** Opens a new session in place of a lost one; runs in [scope] until it succeeds or nobody wants it any more. */
    private suspend fun reopen() {
        try {
            begin()
        } catch (stop: CancellationException) {
            throw stop
        } catch (problem: Throwable) {
            log.errorSafely("A session at $subject could not be begun", problem)
            settle { state.giveUp(errors.notUnderstood(problem), it) }
        }
    }

    private suspend fun begin() {
        var attempt = 0
        prepare()
        // One request for all attempts: an earlier one may still arrive, and must not begin a session of its own.
        var prepared = settle { openings.next(state) }
        ledger.listen(prepared.request.session, this)
        while (settle { stillWanted() }) {
            val sentAt = clock.nanos()
            when (val outcome = attempt(prepared.request)) {
                is Opened.Joined -> {
                    settle { state.joined(prepared.request, outcome, sentAt, prepared.putBack, it) }
                    return enlist()
                }

                is Opened.Mismatch -> return settle { state.giveUp(errors.mismatch(state.handle.asDeclared, outcome.declared), it) }

                is Opened.Unreadable -> return settle { state.giveUp(errors.unreadable(outcome.format), it) }

                is Opened.LeaseTooLong -> return settle { state.giveUp(errors.leaseTooLong(outcome.longestMillis), it) }

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
            settle { failures.notOpened(failure, it) }
            null
        }

    private fun stillWanted(): Boolean {
        state.opening = !state.closed && state.wantsSession
        return state.opening
    }

    // ---- operations --------------------------------------------------------------------------------------------------------

    /** Suspends until granted; `null` if refused, which only happens to an acquire that does not wait. */
    suspend fun acquire(
        weight: Int,
        waits: Boolean,
        holdMillis: Long = usualHoldMillis,
        minMillis: Long = 0,
    ): HeldPermit? =
        suspendCancellableCoroutine { continuation ->
            val waiter = Waiter(weight, waits, holdMillis, minMillis, clock.nanos(), continuation)
            state.outbox.intake.add(waiter)
            continuation.invokeOnCancellation { abandon(waiter) }
            pump()
        }

    /** What is to be told if the store has been away since [moment], as far as can be told; else `null`. */
    fun outageSince(moment: Long): Exception? =
        lock.withLock { if (state.isCutOff(moment, ledger.isReachable(subject))) errors.away(state.lastProblem) else null }

    fun now(): Long = clock.nanos()

    val time: ClientTime get() = settings.time

    /** The max hold of whoever names none; -1 for no limit. */
    val usualHoldMillis: Long get() = state.handle.holdMillis

    val lease: Duration get() = settings.leaseMillis.milliseconds

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
        if (permit.state == PermitState.RELEASED) throw releasedTwice(permit)
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

    suspend fun redeclare(permits: Int) {
        ask(Command.Redeclare(permits))
        settle { state.redeclared(permits) }
    }

    /** See [io.signalbox.Semaphore.revoke]. [find] looks who holds the permit. */
    suspend fun revoke(
        patience: Duration,
        find: suspend () -> SemaphoreSnapshot.Holder?,
    ): Boolean {
        val holder = find() ?: return false
        val weight = if (holder.permits == 1 && holder.remainingHold == null) 0 else holder.permits
        val order = Command.Revoke(holder.session, holder.fencingToken, weight, settings.label)
        if (ask(order).result == 0) return false
        val isObeyed =
            time.limited(patience) {
                var attempt = 0
                while (find() != null) delay(settings.backoffNanos(attempt++).nanoseconds)
                true
            }
        if (isObeyed != true) ask(Command.Enforce(holder.session, holder.fencingToken, weight))
        return true
    }

    /** See [io.signalbox.Semaphore.delete]. */
    suspend fun delete(): Boolean {
        ask(null)
        val epoch = state.session?.epoch ?: return false
        val wasThere = retrying { ledger.delete(subject, epoch, settings.label) }
        settle { if (state.session?.epoch == epoch) state.deleted(settings.label, it) }
        return wasThere
    }

    override fun onSummons() {
        settle { if (state.session != null) state.outbox.beat = true }
    }

    /** Suspends until the ledger has heard all that was given back here before; for questions that do not travel in an exchange. */
    suspend fun sayAll() {
        val unsaid = settle {
            it.run { state.takeIn(this) }
            state.session?.hasUnsaid ?: false
        }
        if (unsaid) ask(null)
    }

    override fun usage(): Coordinator.Usage = lock.withLock { state.usage() }

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
        if (!state.hasSomethingToSay || !state.mayLeave || state.isHeldBack || state.isGathering) return null
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
        startWatching()
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
        if (state.closed) {
            sent?.answer = answer as? Answer.Done
            parting.heard()
        } else {
            applying(sent, it) {
                when {
                    sent == null -> Unit
                    answer != null -> {
                        it.exchanged(sent, state.session)
                        heard.answered(sent, answer, it)
                    }

                    failure != null -> failures.failed(sent, failure, it)
                }
            }
        }
    }

    /** Whoever calls from the store hears nothing of what is thrown here, and everybody whose call it was would wait for ever. */
    private inline fun applying(
        sent: InFlight?,
        settled: Settled,
        apply: () -> Unit,
    ) {
        try {
            apply()
        } catch (problem: Throwable) {
            settled.afterwards { log.errorSafely("What the store has said of $subject could not be applied", problem) }
            failures.notApplied(sent, errors.notUnderstood(problem), settled)
        }
    }

    override fun onAnnouncement(announcement: Announcement) {
        // A process that was frozen past its deadline must not act on an old announcement.
        loseWhatIsOver()
        settle { applying(null, it) { heard.announced(announcement, it) } }
    }

    override fun onInboxChanged() {
        settle {
            if (state.session?.run { waiting.isNotEmpty() || cohort.waits } == true) state.outbox.beat = true
            failures.retryNow()
        }
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

    private fun startWatching() {
        if (isWatched) return
        isWatched = true
        engaged.add(this)
        scope.launch { watch() }
    }

    /** Looks after the semaphore while there is something to look after: heartbeats, repetitions, deadlines. */
    private suspend fun watch() {
        while (true) {
            state.schedule.sleep(settle { state.schedule.plan(state, departing = departure != null) })
            if (state.closed) return
            try {
                look()
            } catch (problem: Throwable) {
                // Who holds is to hear of a loss all the same.
                log.errorSafely("Looking after $subject failed", problem)
                delay(settings.tickNanos.nanoseconds)
            }
            if (settle { rest(it) }) return
        }
    }

    /** Whether it was not used for a while, and is not looked after until it is. */
    private fun rest(settled: Settled): Boolean {
        if (handle == null || departure != null || !state.schedule.isRestDue || !state.isIdle) return false
        state.rest(settled)
        isWatched = false
        engaged.remove(this, state.largestToken)
        return true
    }

    private fun look() {
        loseWhatIsOver()
        val repeated =
            settle {
                state.takeIn(it)
                failures.failOverdue(it)
                state.session?.run { longHolds.tell(clock.nanos(), plain, listed, it) }
                if (state.schedule.isBeatDue(state.isEngaged)) state.outbox.beat = true
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
        var isFirst = false
        val goodbye =
            settle {
                isFirst = !state.closed
                departure = null
                state.schedule.ring()
                if (isFirst) state.close(ledger.inbox(), it) else null
            }
        if (!isFirst) return
        if (goodbye == null) return leave()
        // Also if the scope has ended: then only to say so to everybody.
        @OptIn(DelicateCoroutinesApi::class)
        scope.launch(start = CoroutineStart.ATOMIC) {
            var isHeard = false
            try {
                isHeard = withTimeoutOrNull(settings.storeTimeoutNanos.nanoseconds) { parting.say(goodbye) } == true
            } finally {
                settle {
                    goodbye.confirming.forEach { permit ->
                        if (isHeard) it.confirm(permit, true) else it.refuse(permit, errors.unconfirmed())
                    }
                }
                forget(goodbye.session)
                leave()
            }
        }
    }

    private fun leave() {
        engaged.remove(this)
        farewell.complete(Unit)
    }

    override suspend fun awaitFarewell() = farewell.await()

    private companion object {
        val log: Logger = LoggerFactory.getLogger(SemaphoreCoordinator::class.java)
    }
}
