package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.SessionListener
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One client's side of one semaphore: turns what its coroutines want into numbered exchanges, and answers into grants.
 *
 * Group commit: while an exchange is in flight, operations collect in the [Outbox] and leave together in the next. There is no
 * timer on that path; who adds an operation, or receives an answer, sends what there is.
 *
 * This is the shell: [ClientState] decides, under [lock]; continuations and listeners run after it was released, see [settle].
 */
internal class SemaphoreCoordinator(
    val name: String,
    private val ledger: Ledger,
    client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val maxInFlight: Int = 1,
) : SessionListener {
    private val lock = ReentrantLock()
    private val errors = CoordinationErrors(name, settings)
    private val state = ClientState(this, settings, clock, errors)
    private val openings = Openings(client, ledger, settings, clock)
    private val farewell = CompletableDeferred<Unit>()
    private var sending = false

    // ---- joining -----------------------------------------------------------------------------------------------------------

    /** Creates or joins; the first session begins with it. Returns false if there is nothing to join. */
    suspend fun join(wanted: HandleSettings): Boolean {
        val request = openings.first(wanted)
        ledger.listen(request.session, this)
        val sentAt = clock.nanos()
        val opened = retrying { ledger.open(name, request) }
        if (opened is Opened.Joined) {
            settle {
                state.handle = wanted
                state.run { joined(request.session, opened, sentAt) }
            }
            scope.launch { watch() }
            return true
        }
        ledger.forget(request.session)
        if (opened is Opened.Mismatch) throw errors.mismatch(wanted.asDeclared, opened.declared)
        return false
    }

    /** As [join], for a handle that has joined. It may have been attached; now it can create the semaphore anew after a loss of data. */
    fun declare(wanted: HandleSettings) {
        val declared = checkNotNull(state.declared) { "Not joined yet." }
        if (wanted.asDeclared != declared) throw errors.mismatch(wanted.asDeclared, declared)
        lock.withLock { state.handle = wanted }
    }

    /** Repeats [request] until it is answered, for at most the store timeout. */
    suspend fun <T> retrying(request: suspend () -> T): T {
        var problem: LedgerFailure? = null
        var attempt = 0
        val answer =
            withTimeoutOrNull(settings.storeTimeoutMillis.milliseconds) {
                var result: Result<T>? = null
                while (result == null) {
                    try {
                        result = Result.success(request())
                    } catch (failure: LedgerFailure) {
                        if (failure.final) throw failure.error
                        problem = failure
                        delay(settings.backoffNanos(attempt++).nanoseconds)
                    }
                }
                result
            }
        return if (answer != null) answer.getOrThrow() else throw errors.unavailable("nothing was changed yet", problem?.error)
    }

    /** Opens a new session in place of a lost one; runs in [scope] until it succeeds or nobody wants it any more. */
    private suspend fun reopen() {
        // One request for all attempts: an earlier one may still arrive, and must not begin a session of its own.
        val request = lock.withLock { openings.next(state) }
        ledger.listen(request.session, this)
        var attempt = 0
        while (lock.withLock { stillWanted() }) {
            val sentAt = clock.nanos()
            val outcome =
                try {
                    ledger.open(name, request)
                } catch (failure: LedgerFailure) {
                    lock.withLock { state.lastProblem = failure.error }
                    if (failure.final) return settle { state.run { giveUp(failure.error) } }
                    null
                }
            when (outcome) {
                is Opened.Joined -> return settle { state.run { joined(request.session, outcome, sentAt) } }
                is Opened.Mismatch -> return settle { state.run { giveUp(errors.mismatch(handle.asDeclared, outcome.declared)) } }
                Opened.NotFound -> lock.withLock { state.lastProblem = errors.notFound() }
                null -> Unit
            }
            delay(settings.backoffNanos(attempt++).nanoseconds)
        }
        ledger.forget(request.session)
    }

    private fun stillWanted(): Boolean {
        state.opening = !state.closed && (state.wantsSession || state.schedule.isRefreshDue())
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
            val accepted =
                lock.withLock {
                    if (!state.closed) state.outbox.acquires.addLast(waiter)
                    !state.closed
                }
            if (accepted) {
                continuation.invokeOnCancellation { abandon(waiter) }
                pump()
            } else {
                continuation.resumeWithException(errors.closed())
            }
        }

    private fun abandon(waiter: Waiter) {
        lock.withLock { state.abandon(waiter) }
        pump()
    }

    fun release(
        permit: HeldPermit,
        continuation: Continuation<Boolean>,
    ) {
        loseWhatIsOver()
        val before =
            lock.withLock {
                if (permit.releaseCalled) return@withLock HeldPermit.State.RELEASED
                permit.releaseCalled = true
                permit.state.also {
                    if (it == HeldPermit.State.HELD) {
                        permit.releasing = continuation
                        state.handBack(permit)
                    }
                }
            }
        when (before) {
            HeldPermit.State.HELD -> pump()
            HeldPermit.State.LOST -> continuation.resume(false)
            HeldPermit.State.RELEASED -> continuation.resumeWithException(errors.released(permit))
        }
    }

    /** Gives back a permit that nobody has seen, because its acquire was cancelled at that moment. */
    fun giveBack(permit: HeldPermit) {
        lock.withLock { if (permit.state == HeldPermit.State.HELD) state.handBack(permit) }
        pump()
    }

    fun listen(
        permit: HeldPermit,
        listener: LossListener,
    ): Boolean {
        loseWhatIsOver()
        return lock.withLock { permit.addListener(listener) }
    }

    fun unlisten(
        permit: HeldPermit,
        listener: LossListener,
    ) = lock.withLock { permit.removeListener(listener) }

    suspend fun extend(
        permit: HeldPermit,
        hold: Duration,
    ): Boolean {
        val millis = wholeMillis("hold", hold, MAX_HOLD)
        check(permit.limited) { "Semaphore '$name' has no maxHold, so there is nothing to extend." }
        if (permit.state == HeldPermit.State.RELEASED) throw errors.released(permit)
        if (permit.isLost) return false
        val asked = ask(Command.Extend(HeavyGrant(permit.fencingToken, permit.permits), millis))
        if (asked.result == 1) lock.withLock { state.limit(permit, asked.sentAt, millis) }
        return asked.result == 1 && !permit.isLost
    }

    /** Suspends until an exchange that carried [command] was answered; without a command, any exchange sent from now on. */
    suspend fun ask(command: Command?): Asked {
        val ask = Ask(command, clock.nanos())
        lock.withLock {
            if (state.closed) throw errors.closed()
            state.outbox.asks.addLast(ask)
        }
        pump()
        return ask.result.await()
    }

    fun checkOpen() {
        lock.withLock { if (state.closed) throw errors.closed() }
    }

    // ---- exchanges ---------------------------------------------------------------------------------------------------------

    /** Sends what there is to send. Called after everything that can give something to say; does nothing most of the time. */
    private fun pump() {
        while (true) {
            val next = lock.withLock { compose() } ?: return
            deliver(next)
            lock.withLock { sending = false }
        }
    }

    private fun compose(): InFlight? {
        // Whoever is sending looks again when it is done: exchanges leave in the order of their numbers.
        if (sending || state.closed) return null
        if (state.wantsSession && !state.opening) startReopening()
        return state.compose(ledger.inbox(), maxInFlight)?.also { sending = true }
    }

    private fun startReopening() {
        state.opening = true
        scope.launch { reopen() }
        state.schedule.ring()
    }

    private fun deliver(
        sent: InFlight,
        silentSince: Long = Ledger.FIRST_DELIVERY,
    ) {
        ledger.exchange(name, sent.exchange, silentSince) { answer, failure ->
            settle {
                state.run {
                    if (answer != null) {
                        answered(sent, answer)
                    } else if (failure != null) {
                        failed(sent, failure)
                    }
                }
            }
        }
    }

    override fun onGrant(grant: Grant) {
        // A process that was frozen past its deadline must not act on an old announcement.
        loseWhatIsOver()
        settle { state.run { granted(grant, announced = true) } }
    }

    override fun onInboxChanged() {
        lock.withLock { if (state.session?.waiting?.isNotEmpty() == true) state.outbox.beat = true }
        pump()
    }

    /** Runs [decide] under the lock; what it settles reaches user code after that; then sends what there is to send. */
    private fun <T> settle(decide: Settled.() -> T): T {
        val settled = Settled()
        val result = lock.withLock { settled.decide() }
        settled.deliver()
        pump()
        return result
    }

    // ---- time --------------------------------------------------------------------------------------------------------------

    /** Looks after the semaphore until the client is closed: heartbeats, repetitions, deadlines. Sleeps while it is idle. */
    private suspend fun watch() {
        while (true) {
            state.schedule.sleep(lock.withLock { state.schedule.plan(state) })
            if (lock.withLock { state.closed }) return
            look()
        }
    }

    private fun look() {
        loseWhatIsOver()
        val repeated =
            settle {
                state.run { failOverdue() }
                if (state.schedule.isBeatDue(state.isEngaged)) state.outbox.beat = true
                if (state.schedule.isRefreshDue()) refresh()
                val now = clock.nanos()
                state.inFlight.filter { it.isToBeRepeated(now, settings.patienceNanos) }.map { it to it.repeated(now) }
            }
        repeated.forEach { (sent, silentSince) -> deliver(sent, silentSince) }
    }

    private fun refresh() {
        if (state.session != null) {
            state.outbox.beat = true
        } else if (!state.opening) {
            startReopening()
        }
        state.schedule.refreshed()
    }

    /** Declares lost what is past its deadline; [permit] for its max hold too. */
    fun loseWhatIsOver(permit: HeldPermit? = null) {
        if (lock.withLock { state.isOver(permit) }) settle { state.run { loseWhatIsOver(permit) } }
    }

    fun watchHold(permit: HeldPermit): Job =
        scope.launch {
            delay((permit.holdDeadline - clock.nanos()).nanoseconds)
            loseWhatIsOver(permit)
        }

    fun forget(session: ClientSession) = ledger.forget(session.id)

    // ---- the end -----------------------------------------------------------------------------------------------------------

    /** Fails what waits, gives back what is held, and says goodbye. Idempotent. */
    fun close() {
        val live =
            settle {
                val live = if (state.closed) null else state.run { close() }
                if (live == null) farewell.complete(Unit)
                state.schedule.ring()
                live
            } ?: return
        scope.launch {
            // If an exchange is in flight, this arrives behind it on the same connection.
            val goodbye = Exchange.goodbye(live.id, live.nextNumber, ledger.inbox())
            while (!farewell.isCompleted) {
                ledger.exchange(name, goodbye, Ledger.FIRST_DELIVERY) { answer, _ ->
                    if (answer != null && answer !is Answer.Gap) farewell.complete(Unit)
                }
                withTimeoutOrNull(settings.patienceNanos.nanoseconds) { farewell.await() }
            }
            ledger.forget(live.id)
        }
    }

    suspend fun awaitFarewell() = farewell.await()
}
