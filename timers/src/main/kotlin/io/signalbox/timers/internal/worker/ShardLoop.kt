package io.signalbox.timers.internal.worker

import io.signalbox.internal.SignalboxBackend
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.timers.internal.TimersConfig
import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.TopicTurn
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory

/**
 * A worker's presence at one shard. One coroutine that takes turns: whenever handlers have ended, it was woken, or the moment has come
 * that the last answer named.
 *
 * ```
 *            claim                 handler ends               settled in the next turn
 *  waiting ---------> running --------------------> pending ----------------------------> gone
 *                        |  renewed every third of a lease
 *                        |  claim lost or timed out: the handler is cancelled, its outcome ignored
 * ```
 *
 * @property horizon takes only what is due by then, once, and ends; 0 for a worker that goes on.
 */
internal class ShardLoop(
    private val shard: Int,
    private val ledger: TimerLedger,
    private val backend: SignalboxBackend,
    private val config: TimersConfig,
    private val lanes: List<Lane<*>>,
    private val slots: Slots,
    private val share: Int,
    private val horizon: Long,
    private val handlers: Handlers,
    private val mover: Mover,
) {
    private val signal = Channel<Unit>(Channel.CONFLATED)
    private val finished = ConcurrentLinkedQueue<Pair<Running, Outcome>>()
    private val running = LinkedHashSet<Running>()

    /** Claimed by the last turn, with handlers that have not been started. */
    private val unstarted = ArrayList<Running>()
    private var pending = ArrayList<Pair<Settlement, Pending>>()
    private val settling = Settling(handlers.reporter)
    private val clock = ServerClock()

    private var session = ""
    private var number = 0L
    private var inbox = ""
    private var formerInbox = ""
    private var knownUntil = Long.MIN_VALUE
    private var wakeAt = Long.MIN_VALUE
    private var lookAt = Long.MAX_VALUE
    private var hasAnswer = false

    /** When the last turn was sent, or sent again. */
    private var deliveredAt = 0L

    /** When the oldest of [pending] came. */
    private var pendingSince = 0L
    private val finishedCount = AtomicInteger()

    /** So many handlers have to end before the loop is told, unless it is none. */
    @Volatile
    private var wanted = 1

    @Volatile
    private var isWoken = true

    @Volatile
    private var isStopping = false

    /** There was no place for what is due, or may become due: a turn is wanted as soon as there is. */
    @Volatile
    var isHungry = false
        private set

    val counts: Map<Count, Int> get() = settling.counts

    /** Whether handlers run whose outcome counts. Read by others. */
    @Volatile
    var isBusy = false
        private set

    /** Ends after what is running has ended. */
    fun stop() {
        isStopping = true
        signal.trySend(Unit)
    }

    fun wake() {
        isWoken = true
        signal.trySend(Unit)
    }

    /** Has the loop look around. */
    fun look() {
        signal.trySend(Unit)
    }

    /** Called by handlers, on any thread. */
    fun finish(
        running: Running,
        outcome: Outcome,
    ) {
        finished.add(Pair(running, outcome))
        if (finishedCount.incrementAndGet() >= wanted) signal.trySend(Unit)
    }

    suspend fun run() {
        beginSession()
        try {
            while (!isDone()) {
                absorb()
                attend()
                if (isTurnDue()) {
                    takeTurn(goodbye = false)
                } else {
                    startHandlers()
                    await()
                }
            }
            takeTurn(goodbye = true)
        } finally {
            ledger.forget(session)
            running.forEach { it.job?.cancel() }
        }
    }

    private suspend fun await() {
        val gathering = pending.isNotEmpty()
        finishedCount.set(0)
        wanted = if (gathering) maxOf(1, (running.size - pending.size + 1) / 2) else 1
        // What ended before the count began has sent its signal, or is seen here.
        if (finished.isNotEmpty()) return
        val until = minOf(wakeAt, lookAt, if (gathering) pendingSince + GATHERING_NANOS else Long.MAX_VALUE)
        val wait = until - backend.clock.nanos()
        if (wait > 0) withTimeoutOrNull(wait.nanoseconds) { signal.receive() }
    }

    /**
     * When handlers end one after the other, those that end within a moment are settled together: as soon as they are as many as still run,
     * so that the store settles one half while the other half runs.
     */
    private fun isGathered(): Boolean =
        pending.isNotEmpty() && (pending.size >= running.size || backend.clock.nanos() - pendingSince >= GATHERING_NANOS)

    /** Gives the timers of handlers back that did not end in time. */
    fun abandonRunning() {
        for (one in running.filter { !it.isSettled }) {
            one.job?.cancel()
            settle(one, Settlement.HandBack(one.claim.id, one.token), Pending(one, null, Count.NOTHING))
        }
    }

    /** [stop], without waiting for handlers. Called on the loop's own behalf only. */
    @Volatile
    var isImpatient: Boolean = false

    private fun isDone(): Boolean =
        running.isEmpty() && pending.isEmpty() && finished.isEmpty() &&
            (isStopping || isPassOver())

    private fun isPassOver(): Boolean =
        horizon > 0 && hasAnswer && wakeAt == Long.MAX_VALUE && !isWoken && !isTurnDue() && lanes.none { it.isAcquiring }

    private fun isTurnDue(): Boolean =
        isGathered() || (!isStopping && (isWoken || backend.clock.nanos() >= wakeAt || (isHungry && slots.available > 0)))

    private fun absorb() {
        while (true) {
            val (one, outcome) = finished.poll() ?: break
            if (one.isSettled) continue
            if (isStopping && outcome is Outcome.Failure && outcome.cause is PermitLost) {
                // Its client closes, which is no fault of the timer's.
                settle(one, Settlement.HandBack(one.claim.id, one.token), Pending(one, null, Count.NOTHING))
                continue
            }
            val (settlement, what) = handlers.conclude(one, outcome, clock.now(backend.clock.nanos()))
            // Still claimed, and renewed, until it is in its place.
            val isMoving =
                settlement is Settlement.Repeat && outcome !is Outcome.Moved &&
                    mover.move(shard, one, settlement) { finish(one, Outcome.Moved(it, what)) }
            if (isMoving) continue
            settle(one, settlement, what)
        }
    }

    private fun settle(
        one: Running,
        settlement: Settlement,
        what: Pending,
    ) {
        one.isSettled = true
        running.remove(one)
        isBusy = running.isNotEmpty()
        slots.giveBack(1)
        one.lane.slots.giveBack(1)
        one.permit?.let(one.lane::release)
        if (pending.isEmpty()) pendingSince = backend.clock.nanos()
        pending.add(Pair(settlement, what))
    }

    /** Renews claims and ends handlers whose time is up. */
    private fun attend() {
        if (isImpatient) {
            isImpatient = false
            abandonRunning()
        }
        val now = backend.clock.nanos()
        if (now < lookAt) return
        lookAt = Long.MAX_VALUE
        val late = ArrayList<Running>()
        for (one in running) {
            if (now >= one.timeoutAt && !one.isMoving) {
                late.add(one)
                continue
            }
            if (now >= one.renewAt) {
                one.renewAt = now + config.leaseNanos / RENEWALS
                if (pending.isEmpty()) pendingSince = now
                pending.add(Pair(Settlement.Renew(one.claim.id, one.token), Pending(one, null, Count.NOTHING)))
            }
            if (now >= one.warnAt) {
                one.warnAt = Long.MAX_VALUE
                log.warn(
                    "The handler of timer '{}' of topic '{}' has run for {} and keeps a place of {}; it may run for {}",
                    one.claim.id,
                    one.lane.name,
                    (now - one.begunAt).nanoseconds,
                    config.concurrency,
                    one.lane.settings.timeout,
                )
            }
            lookAt = minOf(lookAt, one.renewAt, one.timeoutAt, one.warnAt)
        }
        for (one in late) {
            one.job?.cancel()
            val cause = HandlerTimeout("The handler ran for longer than ${one.lane.settings.timeout}.")
            val (settlement, what) = handlers.conclude(one, Outcome.Failure(cause), clock.now(now))
            settle(one, settlement, what)
        }
    }

    // ---- turns -------------------------------------------------------------------------------------------------------------

    private suspend fun takeTurn(goodbye: Boolean) {
        isWoken = false
        val settling = pending
        pending = ArrayList()
        val capacity = if (isStopping || goodbye) 0 else slots.take(share)
        // Who has fewest handlers running is served first, then who has waited longest: where there is more than fits, each gets its share.
        val order = if (lanes.size == 1) lanes else lanes.sortedWith(FEWEST_FIRST)
        val rooms = order.map { if (capacity == 0 || it.isEnded) 0 else it.slots.take(capacity) }
        val limits = order.mapIndexed { i, lane -> if (lane.isLimited) minOf(rooms[i], lane.permitsInHand) else rooms[i] }
        val perLane = lanes.map { ArrayList<Pair<Settlement, Pending>>() }
        for (one in settling) perLane[one.second.running!!.lane.index].add(one)
        perLane.forEach { it.sortWith(INTO_RUNS) }
        val topics = order.mapIndexed { i, lane -> TopicTurn(lane.name, limits[i], rooms[i], perLane[lane.index].map { it.first }) }

        // The store is at work while handlers are started.
        val begun = backend.clock.nanos()
        val answer =
            coroutineScope {
                val delivery = async(start = CoroutineStart.UNDISPATCHED) { deliver(capacity, goodbye, topics) }
                startHandlers()
                delivery.await()
            }
        val now = backend.clock.nanos()
        hasAnswer = true
        clock.set(answer.micros, now)
        wakeAt =
            when {
                horizon == 0L -> now + (answer.wakeMillis * 1000 - answer.micros) * 1000
                answer.micros < horizon * 1000 -> now + (horizon * 1000 - answer.micros) * 1000
                else -> Long.MAX_VALUE
            }
        val taken = IntArray(order.size)
        for (claim in answer.claims) taken[claim.topic]++
        slots.giveBack(capacity - answer.claims.size)
        order.forEachIndexed { i, lane ->
            lane.slots.giveBack(rooms[i] - taken[i])
            if (taken[i] > 0) lane.lastTaken = backend.clock.nanos()
        }
        isHungry = !isStopping && (capacity == 0 || (horizon == 0L && answer.left.isNotEmpty() && answer.claims.size == capacity))
        this.settling.settled(order.flatMap { perLane[it.index] }.map { it.second }, answer.misses)
        if (answer.dropped > 0) log.warn("{} dead timers were removed: there were too many, or for too long", answer.dropped)
        // A claim runs from when the store made it, which may have been long ago if the answer was lost or late.
        val age = minOf(now - begun, maxOf(0, answer.micros - answer.token) * 1000 + now - deliveredAt)
        for (claim in answer.claims) accept(order[claim.topic], claim, answer, now, age)
        isBusy = running.isNotEmpty()
        // A full hand may mean that there is more, and one pass is over when there is nothing any more.
        if (answer.claims.isNotEmpty() && horizon > 0) isWoken = true
        if (!isStopping && !goodbye) {
            val left = answer.left.mapTo(HashSet()) { order[it] }
            val idle = order.filterIndexedTo(HashSet()) { i, _ -> taken[i] == 0 }
            acquirePermits(left, idle)
        }
    }

    private fun acquirePermits(
        left: Set<Lane<*>>,
        withoutClaims: Set<Lane<*>>,
    ) {
        for (lane in lanes) {
            if (!lane.isLimited) continue
            val idle = lane.permitsInHand > 0 && lane in withoutClaims
            when {
                lane !in left || (horizon > 0 && idle) -> lane.releaseUnused()
                lane.permitsInHand > 0 -> isWoken = true
                lane.slots.available > 0 && slots.available > 0 -> lane.acquire()
            }
        }
    }

    /** Repeats the turn until it is answered: it may have been executed, and then this is how its claims become known. */
    private suspend fun deliver(
        capacity: Int,
        goodbye: Boolean,
        topics: List<TopicTurn>,
    ): TurnAnswer.Done {
        val begun = backend.clock.nanos()
        var attempt = 0
        var isTold = false
        number++
        while (true) {
            val wanted = if (horizon > 0) "" else ledger.inbox()
            if (wanted != inbox) {
                formerInbox = inbox
                inbox = wanted
            }
            val present = horizon == 0L && !goodbye && begun >= knownUntil
            val turn =
                Turn(
                    session, number, inbox, formerInbox, config.leaseMillis, config.boundMillis, config.heartbeatMillis(),
                    horizon, capacity, goodbye, present, config.mostDead, config.deadMillis, topics,
                )
            deliveredAt = backend.clock.nanos()
            try {
                when (val answer = ledger.turn(shard, turn)) {
                    is TurnAnswer.Done -> {
                        formerInbox = ""
                        if (present) knownUntil = begun + config.leastHeartbeatNanos
                        return answer
                    }

                    TurnAnswer.Lost, TurnAnswer.Stale -> {
                        // The server has lost its data. Settlements of what it does not know have no effect.
                        if (goodbye) return GONE
                        beginSession()
                        number = 1
                        knownUntil = Long.MIN_VALUE
                    }
                }
            } catch (failure: LedgerFailure) {
                if (failure.final && !hasAnswer) throw failure.error
                if (goodbye && backend.clock.nanos() - begun > backend.settings.storeTimeoutNanos) return GONE
                if (!isTold && (attempt >= NOTEWORTHY || failure.final)) {
                    isTold = true
                    log.warn("The store does not answer; timers of {} wait: {}", config.name, failure.error.message)
                }
            }
            delay(backend.settings.backoffNanos(attempt++).nanoseconds)
        }
    }

    private fun beginSession() {
        if (session.isNotEmpty()) ledger.forget(session)
        session = backend.client.nextSession()
        if (horizon == 0L) ledger.listen(session, ::wake)
    }

    // ---- handlers ----------------------------------------------------------------------------------------------------------

    private fun accept(
        lane: Lane<*>,
        claim: Claim,
        answer: TurnAnswer.Done,
        now: Long,
        age: Long,
    ) {
        val timeout = lane.settings.timeout
        val allowed = if (timeout.isInfinite()) Long.MAX_VALUE else timeout.inWholeNanoseconds
        val warnAfter = if (timeout.isInfinite()) LONG_NANOS else maxOf(allowed / WARN_SHARE, LEAST_WARN_NANOS)
        val permit = if (lane.isLimited) lane.takePermit() else null
        val renewAt = now + maxOf(0, config.leaseNanos / RENEWALS - age)
        val one =
            Running(
                lane, claim, answer.token, permit, answer.micros, renewAt,
                timeoutAt = saturated(now, allowed), warnAt = saturated(now, warnAfter), begunAt = now,
            )
        running.add(one)
        if (age >= config.leaseNanos) {
            // Somebody else may have it by now.
            settle(one, Settlement.HandBack(claim.id, answer.token), Pending(one, null, Count.NOTHING))
            return
        }
        unstarted.add(one)
        lookAt = minOf(lookAt, one.renewAt, one.timeoutAt, one.warnAt)
    }

    /** A moment of the client's clock and a span, which may be the longest there is. */
    private fun saturated(
        moment: Long,
        span: Long,
    ): Long = if (moment > 0 && span > Long.MAX_VALUE - moment) Long.MAX_VALUE else moment + span

    private fun startHandlers() {
        for (one in unstarted) {
            when {
                // Its time was up, or its worker ends.
                one.isSettled -> continue
                one.claim.attempt > one.lane.settings.attempts -> finish(one, Outcome.Exhausted)
                else -> handlers.start(one) { outcome -> finish(one, outcome) }
            }
        }
        unstarted.clear()
    }

    private companion object {
        /** A claim is renewed so often per lease. */
        const val RENEWALS = 4

        const val GATHERING_NANOS = 1_000_000L

        /**
         * Neighbours of one kind and one token cost the store least. What is acknowledged comes after what is renewed: it may be the
         * same timer.
         */
        val INTO_RUNS =
            compareBy<Pair<Settlement, Pending>>({ it.first is Settlement.Acknowledge }, { it.first.javaClass.name }, { it.first.token })

        /** The first failures of a restart of the server are not worth a line. */
        const val NOTEWORTHY = 5
        val GONE = TurnAnswer.Done(0, 0, 0, emptyList(), emptyList(), emptyList(), dropped = 0)

        val FEWEST_FIRST = compareBy<Lane<*>>({ it.slots.taken }, { it.lastTaken })

        /** It is said of a handler when it has used this part of its time. */
        const val WARN_SHARE = 10
        const val LEAST_WARN_NANOS = 1_000_000_000L

        /** For one that may take for ever. */
        const val LONG_NANOS = 60_000_000_000L
        val log = LoggerFactory.getLogger(ShardLoop::class.java)
    }
}

/** Remembers what the misses of an answer mean. */
internal class Settling(
    private val reporter: Reporter,
) {
    val counts = HashMap<Count, Int>()

    fun settled(
        sent: List<Pending>,
        misses: List<io.signalbox.timers.internal.ledger.Miss>,
    ) {
        val missed = misses.associateBy { it.index }
        sent.forEachIndexed { index, it ->
            val miss = missed[index]
            counts.merge(it.count, 1, Int::plus)
            when {
                // Another worker has it: what this handler goes on to do would be done twice.
                miss != null && miss.taken && it.running?.isSettled == false -> {
                    it.running.isTaken = true
                    it.running.job?.cancel()
                }

                miss != null && it.event != null -> reporter.report(Handlers.superseded(it.running!!))
                it.event != null -> reporter.report(it.event)
            }
        }
    }
}

/** A handler did not end in time. */
internal class HandlerTimeout(
    message: String,
) : RuntimeException(message)
