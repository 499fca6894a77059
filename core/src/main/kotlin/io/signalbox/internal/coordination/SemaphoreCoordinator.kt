package io.signalbox.internal.coordination

import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.Command
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.HeavyGrant
import io.signalbox.internal.ledger.HeldGrant
import io.signalbox.internal.ledger.Ledger
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds

/**
 * One client's side of one semaphore: turns what its coroutines want into numbered exchanges, and answers into grants.
 *
 * Group commit: while an exchange is in flight, operations collect in the [Outbox] and leave together in the next. There is no
 * timer on that path; who adds an operation, or receives an answer, sends what there is.
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
 * kept `inLimbo` while a new session is opened that puts them back, and lost if it cannot or if their old deadline passes.
 *
 * Everything is guarded by [lock]; user code (continuations, listeners) runs after it is released, see [Settled].
 */
internal class SemaphoreCoordinator(
    val name: String,
    private val ledger: Ledger,
    private val client: ClientIdentity,
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val maxInFlight: Int = 1,
) : SessionListener {
    private val lock = ReentrantLock()
    private val outbox = Outbox()
    private val inFlight = ArrayDeque<InFlight>()

    private var handle = HandleSettings(declared = -1, bounded = true, quarantine = false, holdMillis = -1)
    private var session: ClientSession? = null
    private var previous: ClientSession? = null
    private var opening = false
    private var lastProblem: Throwable? = null
    private var sending = false
    private var closed = false
    private val farewell = CompletableDeferred<Unit>()

    private var inLimbo: List<HeldPermit> = emptyList()

    private val bell = Channel<Unit>(Channel.CONFLATED)
    private var plannedWake = Long.MAX_VALUE
    private var heartbeatAt = Long.MAX_VALUE
    private var promisedAt = Long.MAX_VALUE
    private var refreshAt = Long.MAX_VALUE
    private var knownPermits = Int.MAX_VALUE

    /** The count the semaphore was created with, by whomever. */
    @Volatile
    var declaredPermits: Int = -1
        private set

    // ---- joining -------------------------------------------------------------------------------------------------------

    /** Creates or joins, once; the first session begins with it. Returns false if there is nothing to join. */
    suspend fun join(wanted: HandleSettings): Boolean {
        val request = lock.withLock { openingRequest(wanted, NO_SESSION, emptyList()) }
        ledger.listen(request.session, this)
        val sentAt = clock.nanos()
        val opened = retrying { ledger.open(name, request) }
        return when (opened) {
            is Opened.Joined -> {
                lock.withLock {
                    handle = wanted
                    begin(request, opened, sentAt)
                }
                scope.launch { watch() }
                true
            }

            is Opened.Mismatch -> {
                ledger.forget(request.session)
                throw mismatch(wanted, opened)
            }

            Opened.NotFound -> {
                ledger.forget(request.session)
                false
            }
        }
    }

    /** From now on this handle may create the semaphore anew, should its data be lost: the count has been named here too. */
    fun mayCreate(declared: Int) {
        lock.withLock { handle = HandleSettings(declared, handle.bounded, handle.quarantine, handle.holdMillis) }
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
        return if (answer != null) answer.getOrThrow() else throw unavailable("nothing was asked of it yet", problem?.error)
    }

    private fun mismatch(
        wanted: HandleSettings,
        found: Opened.Mismatch,
    ): PermitsMismatchException {
        val text =
            if (wanted.declared != found.declared) {
                "Semaphore '$name' was created with ${found.declared} permits, not ${wanted.declared}. Use the same count everywhere, " +
                    "attach(\"$name\") where it is not known, or resize() to change the current count."
            } else {
                "Semaphore '$name' was created with bounded = ${found.bounded}, not ${wanted.bounded}. Use the same setting everywhere."
            }
        return PermitsMismatchException(name, wanted.declared, found.declared, text)
    }

    private fun openingRequest(
        wanted: HandleSettings,
        former: ClientSession,
        reassert: List<HeldPermit>,
    ): Opening {
        val now = clock.nanos()
        return Opening(
            session = client.nextSession(),
            previous = former.id,
            label = settings.label,
            inbox = ledger.inbox(),
            leaseMillis = settings.leaseMillis,
            retentionMillis = settings.retentionMillis,
            declared = wanted.declared,
            bounded = wanted.bounded,
            quarantine = wanted.quarantine,
            newEpoch = ClientIdentity.random(EPOCH_BYTES),
            knownEpoch = former.epoch,
            knownNumber = former.acknowledged,
            reasserted = reassert.map { HeldGrant(it.fencingToken, it.permits, if (it.limited) remainingHold(it, now) else -1) },
        )
    }

    private fun remainingHold(
        permit: HeldPermit,
        now: Long,
    ): Long = ((permit.holdDeadline - now) / CoordinationSettings.NANOS).coerceAtLeast(1)

    private fun begin(
        request: Opening,
        joined: Opened.Joined,
        sentAt: Long,
    ): ClientSession {
        val began = ClientSession(request.session, joined.epoch, sentAt + settings.usableNanos, sentAt)
        began.serverNow = joined.now
        began.sentAtServerNow = sentAt
        session = began
        knownPermits = joined.permits
        declaredPermits = joined.declared
        heartbeatAt = sentAt + settings.heartbeatNanos()
        refreshAt = sentAt + settings.refreshNanos
        promisedAt = Long.MAX_VALUE
        return began
    }

    /** Opens a new session in place of a lost one; runs in [scope] until it succeeds or nobody wants it any more. */
    private suspend fun reopen() {
        // One request for all attempts: an earlier one may still arrive, and must not begin a session of its own.
        val request = lock.withLock { openingRequest(handle, previous ?: NO_SESSION, inLimbo) }
        ledger.listen(request.session, this)
        var attempt = 0
        while (lock.withLock { stillWanted() }) {
            val sentAt = clock.nanos()
            val outcome =
                try {
                    withTimeoutOrNull(settings.patienceNanos.nanoseconds) { ledger.open(name, request) }
                } catch (failure: LedgerFailure) {
                    lock.withLock { lastProblem = failure.error }
                    if (failure.final) return giveUp(failure.error)
                    null
                }
            when (outcome) {
                is Opened.Joined -> return settle { joined(request, outcome, sentAt) }
                is Opened.Mismatch -> return giveUp(mismatch(handle, outcome))
                Opened.NotFound -> lock.withLock { lastProblem = notFound() }
                null -> Unit
            }
            delay(settings.backoffNanos(attempt++).nanoseconds)
        }
        ledger.forget(request.session)
    }

    private fun stillWanted(): Boolean {
        opening = !closed && (!outbox.isEmpty || inLimbo.isNotEmpty() || clock.nanos() >= refreshAt)
        return opening
    }

    private fun notFound() =
        SemaphoreNotFoundException(
            name,
            "Semaphore '$name' does not exist. attach() never creates it: start the process that calls semaphore(\"$name\", permits), or wait longer.",
        )

    private fun Settled.joined(
        request: Opening,
        joined: Opened.Joined,
        sentAt: Long,
    ) {
        opening = false
        lastProblem = null
        val began = begin(request, joined, sentAt)
        for (permit in inLimbo) {
            val kept = permit.fencingToken in joined.reasserted
            when {
                permit.state == HeldPermit.State.HELD && kept -> began.held.add(permit)
                permit.state == HeldPermit.State.HELD -> lose(permit)
                kept && permit !in outbox.releases -> outbox.releases.add(permit)
                !kept && outbox.releases.remove(permit) -> permit.releasing?.let { resume(it, false) }
            }
        }
        inLimbo = emptyList()
        previous = null
    }

    /** No session can be had: everything that waits for one fails with [error]. */
    private fun giveUp(error: Throwable) =
        settle {
            opening = false
            inLimbo.forEach { lose(it) }
            inLimbo = emptyList()
            failOutbox(error)
        }

    // ---- operations ----------------------------------------------------------------------------------------------------

    /** Suspends until granted; `null` if refused, which only happens to an acquire that does not wait. */
    suspend fun acquire(
        weight: Int,
        waits: Boolean,
    ): HeldPermit? =
        suspendCancellableCoroutine { continuation ->
            val waiter = Waiter(weight, waits, handle.holdMillis, clock.nanos(), continuation)
            val accepted =
                lock.withLock {
                    if (!closed) outbox.acquires.addLast(waiter)
                    !closed
                }
            if (accepted) {
                continuation.invokeOnCancellation { abandon(waiter) }
                pump()
            } else {
                continuation.resumeWithException(closedException())
            }
        }

    private fun abandon(waiter: Waiter) {
        lock.withLock {
            when (waiter.state) {
                Waiter.State.PENDING -> waiter.state = Waiter.State.DONE
                Waiter.State.SENT -> waiter.state = Waiter.State.ABANDONED
                Waiter.State.QUEUED -> leave(waiter)
                Waiter.State.ABANDONED, Waiter.State.DONE -> Unit
            }
        }
        pump()
    }

    private fun leave(waiter: Waiter) {
        val live = session ?: return
        waiter.state = Waiter.State.ABANDONED
        live.waiting.remove(waiter.sequence)
        live.abandoned.add(waiter.sequence)
        outbox.leaves.addLast(waiter)
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
                val state = permit.state
                if (state == HeldPermit.State.HELD) {
                    permit.releasing = continuation
                    handBack(permit)
                }
                state
            }
        when (before) {
            HeldPermit.State.HELD -> pump()
            HeldPermit.State.LOST -> continuation.resume(false)
            HeldPermit.State.RELEASED -> {
                val text = "Permit ${permit.fencingToken} of semaphore '$name' was already released. Release a permit once."
                continuation.resumeWithException(IllegalStateException(text))
            }
        }
    }

    /** Gives back a permit that nobody has seen, because its acquire was cancelled at that moment. */
    fun giveBack(permit: HeldPermit) {
        lock.withLock { if (permit.state == HeldPermit.State.HELD) handBack(permit) }
        pump()
    }

    private fun handBack(permit: HeldPermit) {
        permit.state = HeldPermit.State.RELEASED
        permit.takeListeners()
        permit.holdTimer?.cancel()
        session?.held?.remove(permit)
        outbox.releases.addLast(permit)
    }

    fun listen(
        permit: HeldPermit,
        action: () -> Unit,
    ): Boolean {
        loseWhatIsOver()
        return lock.withLock { permit.addListener(action) }
    }

    fun unlisten(
        permit: HeldPermit,
        action: () -> Unit,
    ) = lock.withLock { permit.removeListener(action) }

    suspend fun extend(
        permit: HeldPermit,
        hold: Duration,
    ): Boolean {
        val millis = wholeMillis("hold", hold, MAX_HOLD)
        check(permit.limited) { "Semaphore '$name' has no maxHold, so there is nothing to extend." }
        check(permit.state != HeldPermit.State.RELEASED) { "Permit ${permit.fencingToken} of semaphore '$name' was already released." }
        if (permit.isLost) return false
        val asked = ask(Command.Extend(HeavyGrant(permit.fencingToken, permit.permits), millis))
        if (asked.result == 1) lock.withLock { limit(permit, asked.sentAt, millis) }
        return asked.result == 1 && !permit.isLost
    }

    /** Suspends until an exchange that carried [command] was answered; without a command, any exchange sent from now on. */
    suspend fun ask(command: Command?): Asked {
        val ask = Ask(command, clock.nanos())
        lock.withLock {
            if (closed) throw closedException()
            outbox.asks.addLast(ask)
            if (command == null) outbox.beat = true
        }
        pump()
        return ask.result.await()
    }

    fun checkOpen() {
        lock.withLock { if (closed) throw closedException() }
    }

    private fun closedException() = SignalboxClosedException("This client was closed; semaphore '$name' can no longer be used through it.")

    private fun unavailable(
        outcome: String,
        cause: Throwable?,
    ) = StoreUnavailableException(
        "The store did not answer for semaphore '$name' within ${settings.storeTimeoutMillis.milliseconds} ($outcome). " +
            "Check that the server is reachable, or raise storeTimeout. Last problem: ${cause?.message ?: "none reported"}",
        cause,
    )

    // ---- exchanges -----------------------------------------------------------------------------------------------------

    /** Sends what there is to send. Called after everything that can give something to say; does nothing most of the time. */
    private fun pump() {
        while (true) {
            val next = lock.withLock { compose() } ?: return
            deliver(next)
            lock.withLock { sending = false }
        }
    }

    private fun compose(): InFlight? {
        if (sending || inFlight.size >= maxInFlight || closed) return null
        val live = session
        if (live == null) {
            if (!opening && (!outbox.isEmpty || inLimbo.isNotEmpty())) {
                opening = true
                scope.launch { reopen() }
                ringIfBefore(clock.nanos() + settings.tickNanos)
            }
            return null
        }
        val now = clock.nanos()
        val composed = outbox.compose(live, ledger.inbox(), now) ?: return null
        live.lastSentAt = now
        heartbeatAt = now + settings.heartbeatNanos()
        refreshAt = now + settings.refreshNanos
        inFlight.addLast(composed)
        sending = true
        ringIfBefore(now + settings.tickNanos)
        return composed
    }

    private fun deliver(sent: InFlight) {
        ledger.exchange(name, sent.exchange) { answer, failure ->
            if (answer != null) {
                settle { answered(sent, answer) }
            } else if (failure != null) {
                settle { failed(sent, failure) }
            }
        }
    }

    private fun Settled.answered(
        sent: InFlight,
        answer: Answer,
    ) {
        if (sent.exchange.session != session?.id || sent !in inFlight) return
        when (answer) {
            is Answer.Done -> {
                sent.answer = answer
                while (inFlight.firstOrNull()?.answer != null) {
                    val head = inFlight.removeFirst()
                    apply(head, head.answer as Answer.Done)
                    if (session == null) return
                }
            }

            is Answer.Lost -> endSession(dataMayBeLost = true)
            Answer.Stale -> endSession(dataMayBeLost = true)
            is Answer.Gap ->
                if (answer.last < session!!.acknowledged) {
                    endSession(dataMayBeLost = true)
                } else {
                    inFlight.forEach { it.retryAt = clock.nanos() }
                    ringIfBefore(clock.nanos())
                }
        }
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
        if (live.deadline <= clock.nanos()) {
            // Frozen for too long: what the answer grants was sent to a client that may not act on it any more.
            inFlight.addFirst(head)
            return endSession(dataMayBeLost = false)
        }
        settleAcquires(live, head, done)
        head.releases.forEach { permit -> permit.releasing?.let { resume(it, true) } }
        head.heavyReleases.forEachIndexed { index, permit -> permit.releasing?.let { resume(it, done.released[index]) } }
        head.leaves.forEach {
            live.abandoned.remove(it.sequence)
            it.state = Waiter.State.DONE
        }
        var command = 0
        for (ask in head.asks) {
            val result = if (ask.command != null) done.results[command++] else 0
            complete(ask, Asked(done, result, head.sentAt))
        }
        done.grants.forEach { granted(live, it, announced = false) }
        if (done.permits < knownPermits) refuseTooHeavy(live, done.permits)
        knownPermits = done.permits
        if (!done.more && live.waiting.size > done.queued) requeue(live)
        if (done.more) outbox.beat = true
        promisedAt = Long.MAX_VALUE
        if (done.next >= 0 && live.waiting.isNotEmpty()) {
            promisedAt = clock.nanos() + (done.next - done.now + 1).coerceAtLeast(1) * CoordinationSettings.NANOS
            ringIfBefore(promisedAt)
        }
    }

    private fun Settled.settleAcquires(
        live: ClientSession,
        head: InFlight,
        done: Answer.Done,
    ) {
        var token = done.firstToken
        var holders = done.heldBefore
        var at = 0
        head.exchange.acquires.forEachIndexed { index, run ->
            val granted = done.granted[index]
            repeat(run.count) { inRun ->
                val waiter = head.waiters[at++]
                if (inRun < granted) {
                    holders += run.weight
                    grant(live, waiter, token++, holders, done.now)
                } else if (granted == Answer.IMPOSSIBLE) {
                    fail(waiter, tooHeavy(waiter, done.permits))
                } else if (run.waits) {
                    waiter.queuedAt = done.now
                    waiter.wasQueued = true
                    if (waiter.state == Waiter.State.ABANDONED) {
                        leave(waiter)
                    } else {
                        waiter.state = Waiter.State.QUEUED
                        live.waiting[waiter.sequence] = waiter
                    }
                } else if (waiter.state != Waiter.State.ABANDONED) {
                    waiter.state = Waiter.State.DONE
                    resume(waiter.continuation, null)
                }
            }
        }
    }

    private fun Settled.granted(
        live: ClientSession,
        grant: Grant,
        announced: Boolean,
    ) {
        val waiter = live.waiting.remove(grant.sequence)
        if (waiter != null) {
            if (grant.token == Answer.REFUSED) {
                fail(waiter, tooHeavy(waiter, knownPermits))
            } else {
                grant(live, waiter, grant.token, grant.holders, grant.grantedAt)
            }
        } else if (!announced && grant.token != Answer.REFUSED && grant.sequence in live.abandoned) {
            // Read before the leave arrived, so the leave will find nothing. After an announcement it still does.
            val leaving = outbox.leaves.firstOrNull { it.sequence == grant.sequence } ?: inFlightLeave(grant.sequence) ?: return
            outbox.leaves.remove(leaving)
            grant(live, leaving, grant.token, grant.holders, grant.grantedAt)
        }
    }

    private fun inFlightLeave(sequence: Long): Waiter? =
        inFlight.firstNotNullOfOrNull { sent -> sent.leaves.firstOrNull { it.sequence == sequence } }

    /** Hands a permit to [waiter], or back if nobody waits for it any more. */
    private fun Settled.grant(
        live: ClientSession,
        waiter: Waiter,
        token: Long,
        holders: Int,
        grantedAt: Long,
    ) {
        val permit = HeldPermit(this@SemaphoreCoordinator, token, waiter.weight, holders, limited = waiter.holdMillis >= 0)
        if (waiter.state == Waiter.State.ABANDONED) return handBack(permit)
        waiter.state = Waiter.State.DONE
        live.held.add(permit)
        if (permit.limited) {
            // The exchange of serverNow was sent before the server's clock read serverNow.
            limit(permit, live.sentAtServerNow + (grantedAt - live.serverNow) * CoordinationSettings.NANOS, waiter.holdMillis)
        }
        resume(waiter.continuation, permit)
    }

    /** Ends the hold of [permit] a little before the server does: [holdMillis] after [from], less 1/32 for unlike clocks. */
    private fun limit(
        permit: HeldPermit,
        from: Long,
        holdMillis: Long,
    ) {
        val nanos = holdMillis * CoordinationSettings.NANOS
        permit.holdDeadline = from + nanos - nanos / 32
        permit.holdTimer?.cancel()
        permit.holdTimer =
            scope.launch {
                delay((permit.holdDeadline - clock.nanos()).nanoseconds)
                loseWhatIsOver(permit)
            }
    }

    private fun tooHeavy(
        waiter: Waiter,
        permits: Int,
    ) = IllegalArgumentException("Cannot acquire ${waiter.weight} permits of semaphore '$name': it has $permits. Ask for at most that many.")

    private fun Settled.refuseTooHeavy(
        live: ClientSession,
        permits: Int,
    ) {
        for (waiter in live.waiting.values.filter { it.weight > maxOf(permits, 1) }) {
            leave(waiter)
            resumeWithException(waiter.continuation, tooHeavy(waiter, permits))
        }
    }

    /** The ledger's queue is shorter than what this client has in it: it was lost. Its waiters queue again, in order. */
    private fun requeue(live: ClientSession) {
        val waiters = live.waiting.values.toList()
        live.waiting.clear()
        putBack(waiters)
    }

    private fun putBack(waiters: List<Waiter>) {
        for (waiter in waiters.asReversed()) {
            waiter.state = Waiter.State.PENDING
            waiter.sequence = -1
            outbox.acquires.addFirst(waiter)
        }
    }

    private fun Settled.failed(
        sent: InFlight,
        failure: LedgerFailure,
    ) {
        if (sent.exchange.session != session?.id || sent !in inFlight) return
        if (!failure.final) {
            lastProblem = failure.error
            sent.retryAt = clock.nanos() + settings.backoffNanos(sent.attempts)
            ringIfBefore(sent.retryAt)
            return
        }
        // Refused as a whole, before anything was written: its number is free again. Find the culprit by halves.
        inFlight.remove(sent)
        session!!.nextNumber = sent.exchange.number
        val waiters = sent.waiters.filter { it.state == Waiter.State.SENT }
        if (sent.waiters.isEmpty() || sent.operations == 1) return fail(sent, failure.error)
        sent.asks.forEach { complete(it, failure.error) }
        outbox.leaves.addAll(0, sent.leaves)
        outbox.releases.addAll(0, sent.releases + sent.heavyReleases)
        waiters.forEach { it.state = Waiter.State.PENDING }
        when {
            waiters.isEmpty() -> Unit
            sent.operations == sent.waiters.size -> outbox.suspects.addAll(0, waiters.chunked((waiters.size + 1) / 2))
            else -> outbox.suspects.addFirst(waiters)
        }
    }

    private fun Settled.fail(
        sent: InFlight,
        error: Throwable,
    ) {
        sent.waiters.forEach { if (it.state == Waiter.State.SENT) fail(it, error) }
        (sent.releases + sent.heavyReleases).forEach { permit -> permit.releasing?.let { resumeWithException(it, error) } }
        sent.asks.forEach { complete(it, error) }
        sent.leaves.forEach { session?.abandoned?.remove(it.sequence) }
    }

    // ---- announcements -------------------------------------------------------------------------------------------------

    override fun onGrant(grant: Grant) {
        settle {
            val live = session ?: return@settle
            if (live.deadline > clock.nanos()) granted(live, grant, announced = true)
        }
    }

    override fun onInboxChanged() {
        lock.withLock { if (session?.waiting?.isNotEmpty() == true) outbox.beat = true }
        pump()
    }

    // ---- time ----------------------------------------------------------------------------------------------------------

    /** Looks after the semaphore until the client is closed: heartbeats, repetitions, deadlines. Sleeps while it is idle. */
    private suspend fun watch() {
        while (true) {
            val pause = lock.withLock { plan() - clock.nanos() }.coerceAtLeast(CoordinationSettings.NANOS)
            withTimeoutOrNull(pause.nanoseconds) { bell.receive() }
            if (lock.withLock { closed }) return
            look()
        }
    }

    private fun plan(): Long {
        val now = clock.nanos()
        val live = session
        val busy = opening || inFlight.isNotEmpty() || !outbox.isEmpty || live != null && (!live.held.isEmpty || live.waiting.isNotEmpty())
        plannedWake = refreshAt
        if (busy) plannedWake = minOf(plannedWake, now + settings.tickNanos)
        if (busy && inFlight.isEmpty()) plannedWake = minOf(plannedWake, heartbeatAt, promisedAt)
        if (busy && live != null) plannedWake = minOf(plannedWake, live.deadline)
        inFlight.forEach { plannedWake = minOf(plannedWake, it.retryAt, it.lastSentAt + settings.patienceNanos) }
        return plannedWake
    }

    private fun ringIfBefore(moment: Long) {
        if (moment < plannedWake) bell.trySend(Unit)
    }

    private fun look() {
        loseWhatIsOver()
        val repeated = mutableListOf<InFlight>()
        settle {
            val now = clock.nanos()
            failOverdue(now)
            for (sent in inFlight) {
                if (sent.answer == null && (sent.retryAt <= now || sent.lastSentAt + settings.patienceNanos <= now)) repeated += sent
            }
            repeated.forEach {
                it.attempts++
                it.lastSentAt = now
                it.retryAt = Long.MAX_VALUE
            }
            val live = session
            val busy = live != null && (!live.held.isEmpty || live.waiting.isNotEmpty())
            if (busy && (heartbeatAt <= now || promisedAt <= now) || live != null && refreshAt <= now) outbox.beat = true
            if (live == null && refreshAt <= now && !opening) {
                opening = true
                scope.launch { reopen() }
            }
            if (refreshAt <= now) refreshAt = now + settings.refreshNanos
        }
        repeated.forEach(::deliver)
    }

    /** Fails what only needs an answer of the store and has waited for it too long. Queued acquires wait on. */
    private fun Settled.failOverdue(now: Long) {
        val limit = now - settings.storeTimeoutNanos
        val cause = lastProblem
        for (waiter in outbox.acquires) {
            if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.PENDING) continue
            fail(waiter, if (cause is SemaphoreNotFoundException) cause else unavailable("it has not taken the acquire", cause))
        }
        outbox.acquires.removeAll { it.state == Waiter.State.DONE }
        for (sent in inFlight) {
            for (waiter in sent.waiters) {
                if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.SENT) continue
                fail(waiter, unavailable("the acquire is given back if it was granted", cause))
                waiter.state = Waiter.State.ABANDONED
            }
            sent.asks.filter { it.since <= limit }.forEach { complete(it, unavailable("it may or may not have been carried out", cause)) }
        }
        outbox.asks.removeAll { ask ->
            (ask.since <= limit).also { if (it) complete(ask, unavailable("it was not carried out", cause)) }
        }
    }

    /** Declares lost what is past its deadline: the session with all its permits, permits in limbo, [permit] by its max hold. */
    fun loseWhatIsOver(permit: HeldPermit? = null) {
        val now = clock.nanos()
        val nothing = lock.withLock { (session ?: previous)?.let { it.deadline > now } ?: true && (permit == null || permit.holdDeadline > now) }
        if (nothing) return
        settle {
            session?.let { if (it.deadline <= now) endSession(dataMayBeLost = false) }
            if (inLimbo.isNotEmpty() && previous!!.deadline <= now) {
                inLimbo.forEach { lose(it) }
                inLimbo = emptyList()
            }
            if (permit != null && permit.holdDeadline <= now && permit.state == HeldPermit.State.HELD) {
                session?.held?.remove(permit)
                lose(permit)
                // Not left to the server's clock: the permit is given back as soon as its holder may not use it any more.
                outbox.releases.addLast(permit)
            }
        }
    }

    /**
     * The session is over. If [dataMayBeLost] its permits wait in limbo to be put back by the next session; else they are lost.
     * Queued and sent acquires go back to the outbox in their order.
     */
    private fun Settled.endSession(dataMayBeLost: Boolean) {
        val over = session ?: return
        session = null
        previous = over
        ledger.forget(over.id)
        val held = over.held.toList()
        if (dataMayBeLost && over.deadline > clock.nanos()) inLimbo = held else held.forEach { lose(it) }

        outbox.releases.forEach { permit -> permit.releasing?.let { resume(it, false) } }
        outbox.releases.clear()
        outbox.leaves.clear()
        for (sent in inFlight) {
            (sent.releases + sent.heavyReleases).forEach { permit -> permit.releasing?.let { resume(it, false) } }
            sent.asks.forEach { putBackOrFail(it) }
        }
        val sentWaiters = inFlight.flatMap { it.waiters }.filter { it.state == Waiter.State.SENT }
        inFlight.clear()
        putBack(over.waiting.values + sentWaiters)
    }

    private fun Settled.putBackOrFail(ask: Ask) {
        when (ask.command) {
            is Command.AddPermits -> complete(ask, unavailable("it may or may not have added the permits: the session ended first", null))
            is Command.Extend -> complete(ask, unavailable("the session ended first", null))
            is Command.Resize, null -> outbox.asks.addFirst(ask)
        }
    }

    // ---- the end -------------------------------------------------------------------------------------------------------

    /** Fails what waits, gives back what is held, and says goodbye. Idempotent. */
    fun close() {
        val goodbye =
            settle {
                if (closed) return@settle null
                val live = session?.takeIf { it.deadline > clock.nanos() }
                val number = live?.nextNumber
                closed = true
                live?.held?.toList()?.forEach { lose(it) }
                inLimbo.forEach { lose(it) }
                live?.waiting?.values?.forEach { fail(it, closedException()) }
                (inFlight.flatMap { it.releases + it.heavyReleases } + outbox.releases).forEach { permit ->
                    permit.releasing?.let { resume(it, true) }
                }
                outbox.releases.clear()
                inFlight.forEach { sent ->
                    sent.waiters.forEach { fail(it, closedException()) }
                    sent.asks.forEach { complete(it, closedException()) }
                }
                failOutbox(closedException())
                session = null
                if (number == null) farewell.complete(Unit)
                bell.trySend(Unit)
                number?.let {
                    Exchange(live.id, it, ledger.inbox(), goodbye = true, 0, emptyList(), LongArray(0), emptyList(), emptyList(), emptyList())
                }
            } ?: return
        // If an exchange is in flight, the goodbye arrives behind it on the same connection.
        scope.launch {
            while (!farewell.isCompleted) {
                ledger.exchange(name, goodbye) { answer, _ ->
                    if (answer != null && answer !is Answer.Gap) farewell.complete(Unit)
                }
                withTimeoutOrNull(settings.patienceNanos.nanoseconds) { farewell.await() }
            }
            ledger.forget(goodbye.session)
        }
    }

    suspend fun awaitFarewell() = farewell.await()

    private fun Settled.failOutbox(error: Throwable) {
        outbox.acquires.forEach { fail(it, error) }
        outbox.suspects.flatten().forEach { fail(it, error) }
        outbox.releases.forEach { permit -> permit.releasing?.let { resume(it, false) } }
        outbox.asks.forEach { complete(it, error) }
        outbox.acquires.clear()
        outbox.suspects.clear()
        outbox.releases.clear()
        outbox.asks.clear()
        outbox.leaves.clear()
    }

    /** Runs [decide] under the lock; what it settles reaches user code after that; then sends what there is to send. */
    private fun <T> settle(decide: Settled.() -> T): T {
        val settled = Settled()
        val result = lock.withLock { settled.decide() }
        settled.deliver()
        pump()
        return result
    }

    companion object {
        private const val EPOCH_BYTES = 12
        private val NO_SESSION = ClientSession("", "", 0, 0)
    }
}
