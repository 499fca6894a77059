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

    private fun isPassOver(): Boolean = horizon > 0 && hasAnswer && !isWoken && !isTurnDue() && lanes.none { it.isAcquiring }

    private fun isTurnDue(): Boolean =
        isGathered() || (!isStopping && (isWoken || backend.clock.nanos() >= wakeAt || (isHungry && slots.available > 0)))

    private fun absorb() {
        while (true) {
            val (one, outcome) = finished.poll() ?: break
            if (one.isSettled) continue
            val (settlement, what) = handlers.conclude(one, outcome, clock.now(backend.clock.nanos()))
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
            if (now >= one.timeoutAt) {
                late.add(one)
                continue
            }
            if (now >= one.renewAt) {
                one.renewAt = now + config.leaseNanos / RENEWALS
                if (pending.isEmpty()) pendingSince = now
                pending.add(Pair(Settlement.Renew(one.claim.id, one.token), Pending(one, null, Count.NOTHING)))
            }
            lookAt = minOf(lookAt, one.renewAt, one.timeoutAt)
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
        val rooms = lanes.map { if (capacity == 0) 0 else it.slots.take(capacity) }
        val limits = lanes.mapIndexed { i, lane -> if (lane.isLimited) minOf(rooms[i], lane.permitsInHand) else rooms[i] }
        val perLane = lanes.map { ArrayList<Pair<Settlement, Pending>>() }
        for (one in settling) perLane[one.second.running!!.lane.index].add(one)
        perLane.forEach { it.sortWith(INTO_RUNS) }
        val topics = lanes.mapIndexed { i, lane -> TopicTurn(lane.name, limits[i], rooms[i], perLane[i].map { it.first }) }

        // The store is at work while handlers are started.
        val answer =
            coroutineScope {
                val delivery = async(start = CoroutineStart.UNDISPATCHED) { deliver(capacity, goodbye, topics) }
                startHandlers()
                delivery.await()
            }
        val now = backend.clock.nanos()
        hasAnswer = true
        clock.set(answer.micros, now)
        wakeAt = if (horizon > 0) Long.MAX_VALUE else now + (answer.wakeMillis * 1000 - answer.micros) * 1000
        val taken = IntArray(lanes.size)
        for (claim in answer.claims) taken[claim.topic]++
        slots.giveBack(capacity - answer.claims.size)
        lanes.forEachIndexed { i, lane -> lane.slots.giveBack(rooms[i] - taken[i]) }
        isHungry = !isStopping && (capacity == 0 || (horizon == 0L && answer.left.isNotEmpty() && answer.claims.size == capacity))
        this.settling.settled(perLane.flatten().map { it.second }, answer.misses)
        for (claim in answer.claims) accept(claim, answer.token, now)
        // A full hand may mean that there is more, and one pass is over when there is nothing any more.
        if (answer.claims.isNotEmpty() && horizon > 0) isWoken = true
        if (!isStopping && !goodbye) acquirePermits(answer, taken)
    }

    private fun acquirePermits(
        answer: TurnAnswer.Done,
        taken: IntArray,
    ) {
        for (lane in lanes) {
            if (!lane.isLimited) continue
            val idle = lane.permitsInHand > 0 && taken[lane.index] == 0
            when {
                lane.index !in answer.left || (horizon > 0 && idle) -> lane.releaseUnused()
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
                    horizon, capacity, goodbye, present, topics,
                )
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
                if (attempt == NOTEWORTHY || failure.final) {
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
        claim: Claim,
        token: Long,
        now: Long,
    ) {
        val lane = lanes[claim.topic]
        val timeout = lane.settings.timeout
        val timeoutAt = if (timeout.isInfinite()) Long.MAX_VALUE else now + timeout.inWholeNanoseconds
        val permit = if (lane.isLimited) lane.takePermit() else null
        // A retry or a lapsed claim was not due at its due time; its lag says nothing.
        val lag = clock.sinceDue(now, claim.due)
        val one = Running(lane, claim, token, permit, lag, now + config.leaseNanos / RENEWALS, timeoutAt)
        running.add(one)
        unstarted.add(one)
        lookAt = minOf(lookAt, one.renewAt, one.timeoutAt)
    }

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
        val GONE = TurnAnswer.Done(0, 0, 0, emptyList(), emptyList(), emptyList())
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
