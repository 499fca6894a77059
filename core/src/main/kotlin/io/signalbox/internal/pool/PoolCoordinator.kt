package io.signalbox.internal.pool

import io.signalbox.OnMismatch
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.CoordinationErrors
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.coordination.Coordinator
import io.signalbox.internal.coordination.Engaged
import io.signalbox.internal.coordination.HandleSettings
import io.signalbox.internal.coordination.LongHolds
import io.signalbox.internal.coordination.LossListener
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.coordination.PermitKeeper
import io.signalbox.internal.coordination.PermitState
import io.signalbox.internal.coordination.releasedTwice
import io.signalbox.internal.coordination.retrying
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.errorSafely
import io.signalbox.internal.ledger.ClientIdentity
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.RedisLine
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * One client's side of one pool: carries out what [PoolState] decides under [lock], after it was released.
 *
 * One [PoolRound] is on its way at a time; what is asked for meanwhile leaves together in the next.
 */
internal class PoolCoordinator(
    override val subject: LedgerName,
    private val keys: PoolKeys,
    private val line: PoolLine,
    private val client: ClientIdentity,
    private val pace: PoolPace,
    private val clock: NanoClock,
    private val scope: CoroutineScope,
    private val creation: PoolCreation,
    private val observers: Observers,
    rules: PoolRules = PoolRules(),
    collecting: CoroutineDispatcher = Dispatchers.Unconfined,
    private val engaged: Engaged = Engaged(),
) : Coordinator,
    PermitKeeper<PoolPermit> {
    private val settings = pace.settings
    private val lock = ReentrantLock()
    val errors = CoordinationErrors(subject, settings)
    private val state = PoolState(this, client, pace, rules, errors)
    private val slots = PoolSlots(keys, line, pace)
    private val reaper = Reaper(keys, line, pace)
    private val views = PoolViews(subject.name, keys, line)
    private val collector =
        Collector(
            line,
            scope,
            collecting,
            keys.wake(client.id),
            wanted = { lock.withLock { if (state.needsCollector) state.known?.slots?.free else null } },
            onHint = { hint -> settle { state.collected(hint) } },
            onBroken = { settle { state.isDry = false } },
        )
    private val farewell = CompletableDeferred<Unit>()
    private val longHolds = LongHolds(settings.holdWarningNanos)

    @Volatile
    override var handle: Any? = null
    private val bell = Channel<Unit>(Channel.CONFLATED)

    private var plannedWake = Long.MAX_VALUE
    private var isLooking = false
    private var isOpening = false
    private var isWatched = false
    private val delivering = AtomicInteger()
    private val refusals = ConcurrentLinkedQueue<() -> Unit>()

    // ---- joining -----------------------------------------------------------------------------------------------------------

    /** Creates or joins. Returns false if there is nothing to join. */
    suspend fun join(wanted: HandleSettings): Boolean {
        val sentAt = clock.nanos()
        val meta = retrying("nothing was changed yet") { creation.open(wanted) } ?: return false
        val isOther = wanted.declared >= 0 && wanted.asDeclared != meta.declared
        if (isOther && wanted.onMismatch == OnMismatch.FAIL) throw errors.mismatch(wanted.asDeclared, meta.declared)
        if (isTooLong(meta)) throw errors.leaseTooLong(meta.longest)
        settle {
            state.handle = wanted
            state.joined(meta, keys.of(meta.id), sentAt)
            startWatching()
        }
        if (isOther && wanted.onMismatch == OnMismatch.RESIZE) redeclare(wanted.declared)
        return true
    }

    /** What is to outlive its retention as long as somebody has a handle. */
    val lasting: List<ByteArray> get() = state.known?.slots?.run { listOf(keys.state, owners, free, turns, fence) }.orEmpty()

    private fun isTooLong(meta: PoolMeta) = meta.longest in 1..<settings.leaseMillis

    /** It has, else it would not be there. */
    override suspend fun awaitJoined() = Unit

    override suspend fun declare(wanted: HandleSettings) {
        if (wanted.onMismatch != OnMismatch.RESIZE) requireDeclared(wanted)
        val declared = lock.withLock { state.known?.declared }
        if (declared != null && declared != wanted.asDeclared && wanted.onMismatch == OnMismatch.RESIZE) redeclare(wanted.declared)
        settle { state.handle = wanted }
    }

    override fun requireDeclared(wanted: HandleSettings) {
        val declared = lock.withLock { state.known?.declared } ?: return
        if (wanted.onMismatch == OnMismatch.ATTACH) return
        if (wanted.asDeclared != declared) throw errors.mismatch(wanted.asDeclared, declared)
    }

    override fun usage(): Coordinator.Usage =
        lock.withLock { Coordinator.Usage(state.session?.held.orEmpty().sumOf { it.permits }, state.waiters.size) }

    /** Repeats [request] until it is answered, for at most the store timeout. */
    private suspend fun <T> retrying(
        outcome: String,
        request: suspend () -> T,
    ): T =
        settings.retrying({ last -> errors.unavailable(outcome, last) }) { RedisLine.understood(null) { request() } }

    /** Finds the pool again, or creates it anew, after it was lost. */
    private suspend fun reopen() {
        var attempt = 0
        try {
            while (lock.withLock { state.known == null && !state.closed }) {
                reopenOnce()
                if (state.known == null) delay(pace.backoffNanos(attempt++).nanoseconds)
            }
        } finally {
            settle { isOpening = false }
        }
    }

    private suspend fun reopenOnce() {
        val sentAt = clock.nanos()
        try {
            val wanted = lock.withLock { state.handle.withLongest(state.longest) }
            val meta = creation.open(wanted)
            val mismatch = meta?.takeIf {
                wanted.onMismatch != OnMismatch.ATTACH && wanted.declared >= 0 && it.declared != wanted.asDeclared
            }
            settle {
                when {
                    meta != null && isTooLong(meta) -> state.lastProblem = errors.leaseTooLong(meta.longest)
                    mismatch != null -> state.lastProblem = errors.mismatch(wanted.asDeclared, mismatch.declared)
                    meta == null -> state.lastProblem = errors.notFound()
                    else -> state.joined(meta, keys.of(meta.id), sentAt)
                }
            }
        } catch (failure: LedgerFailure) {
            settle { state.run { notOpened(failure) } }
        } catch (problem: Exception) {
            if (problem is CancellationException) throw problem
            settle { state.lastProblem = errors.notUnderstood(problem) }
        }
    }

    // ---- operations --------------------------------------------------------------------------------------------------------

    /** The max hold of whoever names none; -1 for no limit. */
    val usualHoldMillis: Long get() = state.handle.holdMillis

    /** Suspends until granted; `null` if refused, which only happens to a try. */
    suspend fun acquire(
        weight: Int,
        waits: Boolean,
        holdMillis: Long = usualHoldMillis,
    ): PoolPermit? =
        suspendCancellableCoroutine { continuation ->
            val waiter = PoolWaiter(weight, waits, holdMillis, clock.nanos(), continuation)
            settle { if (state.closed) fail(waiter, errors.closed()) else state.add(waiter) }
            continuation.invokeOnCancellation { settle { state.abandon(waiter) } }
        }

    fun now(): Long = clock.nanos()

    /** What is to be told if the store has said nothing since [moment], although it was asked; `null` if it has. */
    fun outageSince(moment: Long): Exception? =
        lock.withLock { if (state.isCutOff(moment)) errors.away(state.lastProblem) else null }

    override fun handBack(permit: PoolPermit) = settle { state.run { takeBack(permit) } }

    override suspend fun extend(
        permit: PoolPermit,
        hold: Duration,
    ): Boolean {
        val millis = wholeMillis("hold", hold, MAX_HOLD)
        check(permit.limited) { "${subject.title} has no maxHold, so there is nothing to extend." }
        if (permit.state == PermitState.RELEASED) throw releasedTwice(permit)
        if (permit.isLost) return false
        val ask = PoolAsk(clock.nanos())
        settle {
            if (state.closed) throw errors.closed()
            permit.holdUntilMillis = permit.holdUntilMillis.coerceAtLeast(0) + millis - remainingMillis(permit)
            state.describe(permit)
            state.limit(permit, ask.since, millis)
            state.asks.add(ask)
        }
        ask.sentAt.await()
        return !permit.isLost
    }

    private fun remainingMillis(permit: PoolPermit): Long = (permit.holdDeadline - clock.nanos()) / NANOS

    suspend fun permits(): Int = view().permits

    suspend fun view(): PoolView {
        checkOpen()
        awaitReturns()
        val view = retrying("nothing was asked of it but to look") { views.look() }
        checkOpen()
        return view ?: throw errors.gone()
    }

    /** What was released before, without waiting, is to be seen by who asks now. */
    private suspend fun awaitReturns() {
        val ask = PoolAsk(clock.nanos())
        settle {
            if (state.closed) throw errors.closed()
            if (state.isReturning) state.asks.add(ask) else complete(ask.sentAt, 0)
        }
        ask.sentAt.await()
    }

    suspend fun snapshot(limit: Int): SemaphoreSnapshot {
        var view = view()
        // A grant describes itself a moment after it was made.
        var attempt = 0
        while (view.hasUndescribed && attempt++ < DESCRIPTIONS) {
            settings.time.run { delay(attempt.milliseconds) }
            view = view()
        }
        val now = clock.nanos()
        val waiting = lock.withLock { state.waiters.filter { it.waits }.map { Pair(it.weight, it.since) } }
        return view.snapshot(limit, client, settings, waiting.map { (weight, since) -> Pair(weight, (now - since).nanoseconds) })
    }

    fun isWaitedFor(): Boolean = lock.withLock { state.waiters.any { it.waits } }

    suspend fun resize(permits: Int) {
        val operation = ClientIdentity.random(OPERATION_BYTES)
        change(permits) { slots.resize(operation, permits) }
    }

    suspend fun redeclare(permits: Int) {
        val operation = ClientIdentity.random(OPERATION_BYTES)
        change(permits) { slots.declare(operation, permits) }
        settle { state.redeclared(permits) }
    }

    /** Returns the new count. */
    suspend fun addPermits(permits: Int): Int {
        val operation = ClientIdentity.random(OPERATION_BYTES)
        val change = change(permits) { slots.add(operation, permits) }
        check(change.isAllowed) {
            "${subject.title} is bounded, so addPermits($permits) is refused. Use resize(), or create it with bounded = false."
        }
        val most = SemaphoreAlgorithm.Pool.MAX_PERMITS
        require(change.fits) { "${subject.title} has ${change.permits} permits; $permits more would exceed $most." }
        return change.permits
    }

    private suspend fun change(
        permits: Int,
        request: suspend () -> PoolSlots.Change?,
    ): PoolSlots.Change {
        require(permits in 0..Semaphore.MAX_PERMITS)
        checkOpen()
        val change = retrying("it may or may not have been carried out") { request() } ?: throw errors.gone()
        settle {
            if (state.closed) throw errors.closed()
            if (change.fits && change.isAllowed) state.changed(change.permits, change.surplus)
        }
        return change
    }

    /** Takes [surplus] slots, which are claimed by this client, out of the pool [of] if there still are too many; the rest go back. */
    fun withdraw(
        of: String,
        surplus: List<Claim>,
    ) {
        scope.launch {
            var kept = surplus
            try {
                kept = slots.withdraw(of, surplus)
            } catch (failure: LedgerFailure) {
                // Whatever has happened: giving back a slot that is gone does nothing.
                log.debug("Could not take slots out of {}", subject, failure.error)
            } finally {
                settle { state.withdrawn(surplus, kept) }
            }
        }
    }

    /** Once for each time that it begins. */
    fun warn(
        error: Throwable,
    ) = log.warn("What is asked for {} is refused; what was begun is repeated until it is taken: {}", subject, error.message)

    fun checkOpen() {
        if (state.closed) throw errors.closed()
    }

    // ---- rounds ------------------------------------------------------------------------------------------------------------

    /** Runs [decide] under the lock, sees what follows from it, and carries it out when the lock is released. */
    private fun <T> settle(decide: Effects.() -> T): T {
        val effects = Effects(subject, observers, clock)
        val result =
            lock.withLock {
                val result = effects.decide()
                effects.proceed()
                result
            }
        effects.run()
        refusals.addAll(effects.refusals)
        // Else the next call here sends what is to go back.
        while (delivering.get() == 0) refusals.poll()?.invoke() ?: break
        return result
    }

    private fun Effects.proceed() {
        state.run {
            loseWhatIsOver(null)
            if (inFlight == null) serve()
        }
        if (state.known == null) {
            startReopening()
        } else if (delivering.get() == 0) {
            state.compose(collector.isBlocked)?.let { round ->
                round.write(keys, client.id, state.gate.mark, pace, state.serverMicros)
                add { deliver(round) }
            }
        }
        if (state.needsCollector) add { collector.ring() }
        if (!isWatched && !state.isAtRest && !state.isEnded) {
            state.wakes()
            startWatching()
        }
        plan()
    }

    private fun Effects.startReopening() {
        val wanted = state.handle.declared >= 0 || state.waiters.isNotEmpty() || state.asks.isNotEmpty()
        if (isOpening || state.closed || !wanted) return
        isOpening = true
        add { scope.launch { reopen() } }
    }

    private fun deliver(round: PoolRound) {
        val sentAt = clock.nanos()
        lock.withLock { state.sent(round, sentAt) }
        line.transact(round.batch) { replies, failure ->
            // Whoever is resumed has more to say: let it collect, instead of sending the first word alone.
            delivering.incrementAndGet()
            try {
                apply(round, sentAt, replies, failure)
            } finally {
                delivering.decrementAndGet()
            }
            settle { if (round.leaves && replies != null) farewell.complete(Unit) }
        }
    }

    private fun apply(
        round: PoolRound,
        sentAt: Long,
        replies: Replies?,
        failure: LedgerFailure?,
    ) {
        settle {
            state.run {
                try {
                    if (replies != null) {
                        answered(round, sentAt, replies)
                    } else {
                        failed(round, failure ?: notExecuted())
                    }
                } catch (problem: Throwable) {
                    // Whoever calls this hears nothing, and everybody whose call it was would wait for ever.
                    add { log.errorSafely("What the server has answered for $subject could not be applied", problem) }
                    dissolve(round, errors.notUnderstood(problem))
                }
            }
        }
    }

    // ---- time --------------------------------------------------------------------------------------------------------------

    /** When to look again; rings the bell if that is sooner than planned. */
    private fun plan() {
        val wake = nextWake()
        if (wake < plannedWake) bell.trySend(Unit)
    }

    private fun nextWake(): Long {
        val now = clock.nanos()
        var wake = state.refreshAt
        val busy = state.waiters.isNotEmpty() || state.isEngaged
        if (busy) wake = minOf(wake, state.beatAt)
        if (state.isAtRest) wake = minOf(wake, maxOf(state.restAt, now + settings.tickNanos))
        state.sessionEnd?.let { wake = minOf(wake, it) }
        state.inFlight?.let { if (it.attempts > 0) wake = minOf(wake, it.retryAt, it.sentAt + settings.patienceNanos) }
        if (state.inFlight != null || state.known == null) wake = minOf(wake, now + settings.tickNanos)
        if (state.pausedUntil > now) wake = minOf(wake, state.pausedUntil)
        if (state.waiters.isNotEmpty()) {
            if (!isLooking && state.isDry && state.known != null) wake = minOf(wake, state.looks.dueAt())
            state.known?.let { if (it.openAt > now) wake = minOf(wake, it.openAt) }
            if (state.gate.isWanted) wake = minOf(wake, state.gate.askAt)
        }
        if (state.lookWanted && !isLooking && state.known != null && !state.closed) wake = now
        return maxOf(wake, now)
    }

    private fun startWatching() {
        if (isWatched) return
        isWatched = true
        engaged.add(this)
        // Also if the scope has ended: then only to say so to everybody.
        @OptIn(DelicateCoroutinesApi::class)
        scope.launch(start = CoroutineStart.ATOMIC) {
            var rests = false
            try {
                rests = watch()
            } finally {
                if (!rests) finish()
            }
        }
    }

    private fun finish() {
        settle { state.run { end() } }
        engaged.remove(this)
        farewell.complete(Unit)
    }

    /** Whether nobody has used it for a while: it is not looked after until somebody does. */
    private fun rest(): Boolean {
        if (handle == null || isOpening || isLooking || collector.isBlocked || !state.rests()) return false
        isWatched = false
        engaged.remove(this)
        return true
    }

    /** Looks after the pool while there is something to look after: heartbeats, repetitions, deadlines, the dead. Returns whether it rests. */
    private suspend fun watch(): Boolean {
        while (true) {
            val nanos =
                lock.withLock {
                    plannedWake = nextWake()
                    (plannedWake - clock.nanos()).coerceAtLeast(NANOS / 2)
                }
            withTimeoutOrNull(nanos.nanoseconds) { bell.receive() }
            if (farewell.isCompleted) return false
            try {
                look()
            } catch (problem: Throwable) {
                log.errorSafely("Looking after $subject failed", problem)
                delay(settings.tickNanos.nanoseconds)
            }
            if (settle { rest() }) return true
        }
    }

    private fun look() {
        val repeated =
            settle {
                state.run { failOverdue() }
                longHolds.find(clock.nanos()) { state.session?.held.orEmpty().toList() }.forEach(::heldLong)
                val now = clock.nanos()
                val isWaited = state.waiters.isNotEmpty() && state.isDry && state.looks.isDue()
                if (!isLooking && !state.closed && state.known != null && (state.lookWanted || isWaited)) {
                    isLooking = true
                    state.lookWanted = false
                    add { scope.launch { reap() } }
                }
                val round = state.inFlight ?: return@settle null
                if (round.attempts == 0) return@settle null
                val isSilent = round.sentAt + settings.patienceNanos <= now
                if (isSilent) line.suspect(round.sentAt)
                round.takeIf { round.retryAt <= now || isSilent }
            }
        if (repeated != null) deliver(repeated)
    }

    /** Returns to the pool what dead clients have left, and says when to look again. */
    private suspend fun reap() {
        val tries = lock.withLock { state.waiters.filter { !it.waits } }
        var found: Reaper.Found? = null
        try {
            val id = lock.withLock { state.known?.slots?.pool } ?: return
            found = reaper.look(id)
            if (found.pushed > 0) settle { state.isDry = false }
            if (found.isShort) slots.fill()
        } catch (failure: LedgerFailure) {
            log.debug("Could not look for what the dead have left at {}", subject, failure.error)
        } finally {
            settle {
                isLooking = false
                tries.forEach { it.hasLooked = true }
                state.looks.looked(found)
            }
        }
    }

    /** Declares [permit] lost if it is past its deadlines. */
    override fun loseIfOver(permit: PoolPermit) {
        if (permit.state == PermitState.HELD && permit.isOver(clock.nanos())) settle { state.run { loseWhatIsOver(permit) } }
    }

    fun watchHold(permit: PoolPermit): Job =
        scope.launch {
            delay((permit.holdDeadline - clock.nanos()).nanoseconds)
            loseIfOver(permit)
        }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    override fun close() {
        var rests = false
        val isFirst =
            settle {
                val isFirst = !state.closed
                rests = !isWatched
                if (isFirst) state.run { close() }
                isFirst
            }
        // Nothing of it is left on the server that would not have gone by itself.
        if (rests) {
            farewell.complete(Unit)
        } else if (isFirst) {
            scope.launch { leave() }
        }
    }

    /** The collector is woken, so that no hint gets lost with it; then everything goes back in one round. */
    private suspend fun leave() {
        withTimeoutOrNull(settings.patienceNanos.nanoseconds.coerceAtLeast(MIN_PATIENCE)) {
            while (collector.isBlocked && !line.isOver) {
                settle { }
                delay(1.milliseconds)
            }
        }
        collector.close()
        settle {
            state.isLeaving = true
            if (state.known == null || line.isOver) farewell.complete(Unit)
        }
        withTimeoutOrNull(settings.storeTimeoutNanos.nanoseconds) { farewell.await() } ?: settle { state.run { end() } }
        farewell.complete(Unit)
        bell.trySend(Unit)
    }

    override suspend fun awaitFarewell() = farewell.await()

    private companion object {
        val log: Logger = LoggerFactory.getLogger(PoolCoordinator::class.java)
        const val OPERATION_BYTES = 12

        /** How often a snapshot waits for descriptions: some milliseconds in all. */
        const val DESCRIPTIONS = 8
        val MIN_PATIENCE = 500.milliseconds
    }
}
