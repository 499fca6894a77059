package io.signalbox.quorum.internal

import io.signalbox.internal.InsideClient
import io.signalbox.internal.SignalboxBackend
import io.signalbox.internal.coordination.Loss
import io.signalbox.internal.coordination.PermitKeeper
import io.signalbox.internal.coordination.PermitState
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.quorum.internal.ballot.Ballot
import io.signalbox.quorum.internal.ballot.LongestMismatch
import io.signalbox.quorum.internal.ballot.Pace
import io.signalbox.quorum.internal.ballot.Step
import io.signalbox.quorum.internal.ballot.Vote
import io.signalbox.quorum.internal.master.Answer
import io.signalbox.quorum.internal.master.Handed
import io.signalbox.quorum.internal.master.Known
import io.signalbox.quorum.internal.master.Master
import io.signalbox.quorum.internal.master.Request
import java.util.concurrent.Executor
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One client's side of one semaphore: has a [Ballot] for each slot that somebody here waits for, as many as there are slots at the most, renews what
 * is held, and returns what is not.
 *
 * This is the shell: ballots decide, under the lock of [doings]; requests, continuations and listeners come after it was released.
 */
internal class QuorumCoordinator(
    override val subject: LedgerName,
    private val masters: List<Master>,
    private val backend: SignalboxBackend,
    private val config: QuorumConfig,
    private val recipient: String,
    declared: Int,
    elsewhere: Executor,
) : PermitKeeper<QuorumPermit> {
    private val settings = backend.settings
    private val clock = backend.clock
    private val majority = masters.size / 2 + 1
    val errors = QuorumErrors(subject, config, masters.map { it.title })
    private val doings = Doings(elsewhere)
    private val random = Random(System.nanoTime())
    private val bell = Channel<Unit>(Channel.CONFLATED)
    private val farewell = Channel<Unit>(Channel.CONFLATED)

    // What the masters have said.
    private var known = Known(declared, declared, 0, 0)
    private val problems = arrayOfNulls<Throwable>(masters.size)
    private var roundTrip = FIRST_GUESS
    private var heardAt = Long.MIN_VALUE

    private val waiters = ArrayDeque<QuorumWaiter>()

    /** By their names; those that were granted something until it is returned. */
    private val bids = LinkedHashMap<String, Bid>()
    private val held = LinkedHashSet<QuorumPermit>()
    private val returning = LinkedHashSet<QuorumPermit>()

    /** Slots that this client had: likely to be free, and nobody else's favourites. */
    private val mine = ArrayDeque<Int>()
    private var bidNumber = 0L
    private var nextBeat = Long.MAX_VALUE
    private var isWatched = false
    private var wakeAt = Long.MAX_VALUE
    private var isClosed = false

    /** How many grants there were, and how often a slot was asked for. */
    @Volatile
    var grants: Long = 0L
        private set

    @Volatile
    var tries: Long = 0L
        private set

    init {
        for ((master, each) in masters.withIndex()) each.listen(recipient) { decide { handed(master, it) } }
    }

    private fun <T> decide(decision: () -> T): T = doings.decide { decision().also { watch() } }

    private fun now() = clock.nanos()

    // ---- acquiring ---------------------------------------------------------------------------------------------------------

    /** Suspends until granted; `null` if refused, which only happens to an acquire that does not wait. */
    suspend fun acquire(waits: Boolean): QuorumPermit? {
        while (true) {
            val permit = suspendCancellableCoroutine { continuation ->
                val waiter = QuorumWaiter(now(), continuation)
                decide { ask(waiter, waits) }
                continuation.invokeOnCancellation { decide { abandon(waiter) } }
            }
            // It may have ended while this process stood still.
            if (permit == null || !permit.isLost) return permit
        }
    }

    /** That nothing was granted in time can have another reason than that others hold: `null`, or that the masters were away since [moment]. */
    fun outageSince(moment: Long): Exception? =
        doings.decide {
            val isAway = problems.count { it != null } > masters.size - majority || now() - moment >= SILENCE
            if (heardAt < moment && isAway) errors.unavailable(problems.toList()) else null
        }

    private fun ask(
        waiter: QuorumWaiter,
        waits: Boolean,
    ) {
        if (isClosed) return doings.fail(waiter.continuation, errors.closed())
        if (!waits) {
            // Whoever waits here comes first.
            if (waiters.isEmpty()) begin(waiter) else doings.grant(waiter, null)
            return
        }
        waiters.addLast(waiter)
        haveBids()
    }

    private fun abandon(waiter: QuorumWaiter) {
        waiters.remove(waiter)
        haveBids()
        bids.values.firstOrNull { it.waiter === waiter && it.permit == null }?.let(::withdraw)
    }

    /** One for each who waits, and no more than can be granted. */
    private fun haveBids() {
        val wanted = minOf(waiters.size, maxOf(1, known.permits))
        val waiting = bids.values.filter { it.waiter == null && it.permit == null }
        repeat(wanted - waiting.size) { begin(null) }
        waiting.drop(wanted).forEach(::withdraw)
    }

    private fun begin(waiter: QuorumWaiter?) {
        val name = "${backend.client.id}.$recipient.${++bidNumber}"
        val bid = Bid(Ballot(name, masters.size, waits = waiter == null, config.isStrict, random, recipient, ::pace), waiter)
        bids[name] = bid
        bid.ballot.begin(likelySlot(), now())
        perform(bid)
    }

    private fun likelySlot(): Int {
        while (true) {
            val slot = mine.removeLastOrNull() ?: break
            if (slot < known.permits && held.none { it.slot == slot }) return slot
        }
        var slot = 0
        repeat(PROBES) {
            slot = random.nextInt(maxOf(1, known.permits))
            if (held.none { it.slot == slot }) return slot
        }
        return slot
    }

    private fun withdraw(bid: Bid) {
        bid.ballot.withdraw()
        perform(bid)
        bids.remove(bid.ballot.bid)
    }

    private fun pace(): Pace {
        val lease = config.leaseMillis * MILLIS
        return Pace(
            usable = settings.usableNanos,
            patience = settings.patienceNanos,
            grace = (roundTrip * GRACE_ROUND_TRIPS).coerceIn(MILLIS, lease / 12),
            safety = minOf(lease / 3, MOST_SAFETY),
            backoff = roundTrip.coerceIn(MILLIS / 2, lease / 24),
        )
    }

    // ---- what ballots want -------------------------------------------------------------------------------------------------

    private fun perform(bid: Bid) {
        val ballot = bid.ballot
        heardAt = maxOf(heardAt, ballot.heardAt)
        val steps = ballot.steps.toList()
        ballot.steps.clear()
        for (step in steps) {
            when (step) {
                is Step.Send -> send(step.master, step.request) { answer, problem, _ -> onReply(bid, step, answer, problem) }
                is Step.Granted -> granted(bid, step)
                is Step.Late -> late(bid, step.vote)
                Step.Denied -> end(bid)?.let { doings.grant(it, null) }
                is Step.Failed -> failed(bid, step.problem)
            }
        }
    }

    private fun onReply(
        bid: Bid,
        step: Step.Send,
        answer: Answer?,
        problem: Throwable?,
    ) {
        val ballot = bid.ballot
        when (val request = step.request) {
            is Request.Take -> {
                if (answer == null) {
                    ballot.onFailure(step.master, request.number, problem!!, now())
                } else {
                    ballot.onAnswer(step.master, request.number, request.slot, answer, now())
                }
            }

            is Request.Renew -> {
                val isHeld = (answer?.body as? Answer.Renewed)?.isHeld ?: return
                ballot.onSettled(step.master, request.slots[0].slot, request.slots[0].fence, isHeld[0], now())
            }

            else -> return
        }
        perform(bid)
    }

    private fun handed(
        master: Int,
        handed: Handed,
    ) {
        val bid = bids[handed.bid]
        if (bid == null) {
            send(master, Request.Release(handed.slot, Request.owner(handed.bid, handed.number), handsOn = true)) { _, _, _ -> }
            return
        }
        bid.ballot.onHanded(master, handed, now())
        perform(bid)
    }

    private fun granted(
        bid: Bid,
        step: Step.Granted,
    ) {
        val now = now()
        grants++
        tries += bid.ballot.tries
        val holders = minOf(known.permits, step.votes.maxOf { it.held }).coerceAtLeast(1)
        val token = step.fence * SLOTS + step.slot
        val permit = QuorumPermit(this, masters.size, bid.ballot.bid, step, token, holders, now)
        bid.permit = permit
        held.add(permit)
        val waiter = bid.waiter ?: waiters.removeFirstOrNull()
        if (waiter == null) permit.giveBack() else doings.grant(waiter, permit)
        if (permit.state == PermitState.HELD) {
            val isYoung = permit.validUntil - now > settings.usableNanos / 4 * 3
            val isWhole = masters.indices.all { permit.isKeptBy(it, now) }
            val soon = if (isYoung) settings.tickNanos else 0
            nextBeat = minOf(nextBeat, now + if (isYoung && isWhole) settings.heartbeatNanos() else soon)
        }
        haveBids()
    }

    private fun late(
        bid: Bid,
        vote: Vote,
    ) {
        val permit = bid.permit ?: return
        permit.add(vote)
        if (permit !in held) {
            // Too late: it has been returned.
            send(vote.master, Request.Release(permit.slot, permit.owner(vote.master), handsOn = true)) { _, _, _ -> }
            return
        }
        if (vote.fence == permit.fence) return
        // For those who look.
        send(vote.master, Request.Renew(listOf(Request.Held(permit.slot, permit.owner(vote.master), permit.fence)))) { _, _, _ -> }
    }

    private fun end(bid: Bid): QuorumWaiter? {
        bids.remove(bid.ballot.bid)
        return bid.waiter
    }

    private fun failed(
        bid: Bid,
        problem: Throwable,
    ) {
        val waiter = end(bid)
        val error = if (problem is LongestMismatch) errors.longest(problem.agreedMillis) else errors.oneFailed(problem, problems.toList())
        if (waiter != null) return doings.fail(waiter.continuation, error)
        waiters.forEach { doings.fail(it.continuation, error) }
        waiters.clear()
        haveBids()
    }

    // ---- requests ----------------------------------------------------------------------------------------------------------

    /** [done] hears of the answer, under the lock, and of the moment when the request was decided upon. */
    private fun send(
        master: Int,
        request: Request,
        told: Known = known,
        done: (Answer?, Throwable?, Long) -> Unit,
    ) {
        val sentAt = now()
        doings.add {
            masters[master].send(subject, told, request) { answer, problem ->
                decide {
                    learn(master, answer, problem, sentAt)
                    done(answer, problem, sentAt)
                }
            }
        }
    }

    private fun learn(
        master: Int,
        answer: Answer?,
        problem: Throwable?,
        sentAt: Long,
    ) {
        problems[master] = problem
        if (answer == null) return
        roundTrip += (now() - sentAt - roundTrip) / SMOOTHING
        val isNewer = answer.version > known.version
        if (!isNewer && answer.fence <= known.floor) return
        known =
            Known(
                known.declared,
                if (isNewer) answer.permits else known.permits,
                maxOf(answer.version, known.version),
                maxOf(answer.fence, known.floor),
            )
        if (isNewer) haveBids()
    }

    /** Asks all; [Round.answers] of a majority at least, or an error. Repeats [request] until the store timeout. */
    suspend fun askAll(request: suspend (Known) -> Pair<Known, Request>): Round {
        checkOpen()
        return settings.time.run {
            var best = Round(masters.size)
            withTimeoutOrNull(config.storeTimeoutMillis.milliseconds) {
                var attempt = 0
                while (best.answers.size < majority) {
                    if (attempt > 0) delay(settings.backoffNanos(attempt).nanoseconds)
                    attempt++
                    val (told, what) = request(doings.decide { known })
                    val round = Round(masters.size)
                    decide { for (master in masters.indices) send(master, what, told) { answer, _, _ -> round.add(master, answer) } }
                    round.await(majority, settings.patienceNanos.nanoseconds, (pace().grace * LINGER).nanoseconds)
                    best = round
                }
            }
            checkOpen()
            if (best.answers.size < majority) throw errors.unavailable(doings.decide { problems.toList() })
            best
        }
    }

    fun checkOpen() {
        if (doings.decide { isClosed }) throw errors.closed()
    }

    // ---- what is held ------------------------------------------------------------------------------------------------------

    override fun loseIfOver(permit: QuorumPermit) {
        if (permit.state == PermitState.HELD && permit.isOver(now())) decide { loseOverdue() }
    }

    private fun loseOverdue() {
        val now = now()
        lose(held.filter { it.isOver(now) }, Loss.NOT_RENEWED)
    }

    private fun lose(
        permits: List<QuorumPermit>,
        why: Loss,
    ) {
        val lost = permits.filter { it.lose(why) }
        if (lost.isNotEmpty()) doings.add { Loss.report(subject, lost) }
        for (permit in lost) {
            for (listener in permit.takeListeners()) doings.add { InsideClient.during(backend.client, listener.action) }
        }
        permits.forEach(::giveBack)
    }

    private fun beat() {
        val now = now()
        nextBeat = now + settings.heartbeatNanos()
        for (some in held.toList().chunked(RENEWED_AT_ONCE)) {
            for (master in masters.indices) {
                val asked = some.map { Request.Held(it.slot, it.owner(master), it.fence) }
                send(master, Request.Renew(asked)) { answer, _, sentAt -> renewed(master, some, asked, answer, sentAt) }
            }
        }
    }

    private fun renewed(
        master: Int,
        permits: List<QuorumPermit>,
        asked: List<Request.Held>,
        answer: Answer?,
        sentAt: Long,
    ) {
        val isHeld = (answer?.body as? Answer.Renewed)?.isHeld
        var isWhole = isHeld != null
        if (isHeld != null) {
            for ((index, permit) in permits.withIndex()) {
                permit.renewed(master, asked[index].owner, isHeld[index], sentAt + settings.usableNanos)
                if (!isHeld[index] && permit in held) isWhole = false
            }
        }
        // Sooner than the next beat: until then another failure would be one too many.
        if (!isWhole && held.isNotEmpty()) nextBeat = minOf(nextBeat, now() + settings.tickNanos)
        loseOverdue()
    }

    override fun handBack(permit: QuorumPermit) {
        decide { giveBack(permit) }
    }

    override suspend fun extend(
        permit: QuorumPermit,
        hold: Duration,
    ): Boolean = throw IllegalStateException("Semaphores on a quorum have no maxHold, so there is nothing to extend.")

    private fun giveBack(permit: QuorumPermit) {
        if (!held.remove(permit)) return
        returning.add(permit)
        mine.addLast(permit.slot)
        if (mine.size > MOST_MINE) mine.removeFirst()
        sayReturn(permit)
    }

    private fun sayReturn(permit: QuorumPermit) {
        permit.repeatAt = now() + settings.patienceNanos
        for (master in masters.indices) if (permit.returned[master] == null) giveBack(permit, master)
    }

    private fun giveBack(
        permit: QuorumPermit,
        master: Int,
    ) = send(master, Request.Release(permit.slot, permit.owner(master), handsOn = true)) { answer, _, _ ->
        if (answer == null) {
            permit.repeatAt = minOf(permit.repeatAt, now() + settings.backoffNanos(permit.repetitions++))
        } else {
            permit.returned[master] = answer.code == Answer.Code.YES
            confirm(permit)
        }
    }

    private fun confirm(permit: QuorumPermit) {
        val yes = permit.returned.count { it == true }
        val no = permit.returned.count { it == false }
        if (yes > 0 && yes + no >= majority) {
            told(permit, true)
        } else if (no >= majority) {
            told(permit, false)
        }
        if (yes + no == masters.size) forget(permit)
    }

    private fun told(
        permit: QuorumPermit,
        wasHeld: Boolean,
    ) {
        if (permit.isConfirmed) return
        permit.isConfirmed = true
        permit.awaiting?.let { doings.tell(it, wasHeld) }
        if (isClosed) farewell.trySend(Unit)
    }

    private fun forget(permit: QuorumPermit) {
        returning.remove(permit)
        bids.remove(permit.bid)
    }

    // ---- time --------------------------------------------------------------------------------------------------------------

    private fun dueAt(): Long {
        var due = if (held.isEmpty()) Long.MAX_VALUE else minOf(nextBeat, held.minOf { it.validUntil })
        for (bid in bids.values) {
            due = minOf(due, bid.ballot.dueAt)
            if (bid.permit == null && bid.waiter != null) due = minOf(due, givenUpAt(bid.waiter))
        }
        for (permit in returning) due = minOf(due, permit.repeatAt, permit.lastKept)
        // They came one after the other; the first that nobody has heard of yet is the first to give up.
        waiters.firstOrNull { it.since > heardAt }?.let { due = minOf(due, givenUpAt(it)) }
        return due
    }

    private fun givenUpAt(waiter: QuorumWaiter) =
        if (heardAt >= waiter.since) Long.MAX_VALUE else waiter.since + config.storeTimeoutMillis * MILLIS

    private fun onTime() {
        val now = now()
        for (bid in bids.values.toList()) {
            if (bid.ballot.dueAt > now) continue
            bid.ballot.onTime(now)
            perform(bid)
        }
        if (held.isNotEmpty() && nextBeat <= now) beat()
        loseOverdue()
        for (permit in returning.toList()) {
            if (permit.lastKept <= now) {
                told(permit, true)
                forget(permit)
            } else if (permit.repeatAt <= now) {
                sayReturn(permit)
            }
        }
        giveUpOnMasters(now)
    }

    private fun giveUpOnMasters(now: Long) {
        val error by lazy { errors.unavailable(problems.toList()) }
        for (bid in bids.values.toList()) {
            val waiter = bid.waiter ?: continue
            if (bid.permit != null || givenUpAt(waiter) > now) continue
            withdraw(bid)
            doings.fail(waiter.continuation, error)
        }
        val over = waiters.filter { givenUpAt(it) <= now }
        if (over.isEmpty()) return
        waiters.removeAll(over.toSet())
        over.forEach { doings.fail(it.continuation, error) }
        haveBids()
    }

    /** Has somebody look when it is time. */
    private fun watch() {
        val due = dueAt()
        if (due >= wakeAt) return
        wakeAt = due
        bell.trySend(Unit)
        if (isWatched) return
        isWatched = true
        doings.add { backend.scope.launch { watchUntilIdle() } }
    }

    private suspend fun watchUntilIdle() {
        while (true) {
            val pause =
                doings.decide {
                    onTime()
                    wakeAt = dueAt()
                    if (wakeAt == Long.MAX_VALUE) isWatched = false
                    if (isWatched) wakeAt - now() else null
                } ?: return
            withTimeoutOrNull(pause.coerceAtLeast(1).nanoseconds) { bell.receive() }
        }
    }

    // ---- the end -----------------------------------------------------------------------------------------------------------

    fun close() {
        decide {
            if (isClosed) return@decide
            isClosed = true
            waiters.forEach { doings.fail(it.continuation, errors.closed()) }
            waiters.clear()
            for (bid in bids.values.toList()) {
                if (bid.permit != null) continue
                withdraw(bid)
                bid.waiter?.let { doings.fail(it.continuation, errors.closed()) }
            }
            lose(held.toList(), Loss.CLOSED)
            // A crash, in memory: nothing is said any more.
            if (!backend.scope.isActive) failUnconfirmed()
        }
    }

    /** Suspends until what was held is known to be given back; whoever waits for more than that is told that nobody knows. */
    suspend fun awaitFarewell() {
        try {
            while (doings.decide { returning.any { !it.isConfirmed } }) farewell.receive()
        } finally {
            decide { failUnconfirmed() }
        }
    }

    private fun failUnconfirmed() {
        for (permit in returning) {
            if (permit.isConfirmed) continue
            permit.isConfirmed = true
            permit.awaiting?.let { doings.fail(it, errors.unconfirmed()) }
        }
    }

    companion object {
        /** The slot is what makes the tokens of grants differ that know the same of each other. */
        const val SLOTS = 1024L
        private const val MILLIS = 1_000_000L
        private const val FIRST_GUESS = MILLIS
        private const val SMOOTHING = 8
        private const val GRACE_ROUND_TRIPS = 4
        private const val LINGER = 10
        private const val MOST_SAFETY = 1000 * MILLIS
        private const val PROBES = 8

        /** Masters that have said nothing for so long are taken for away. */
        private const val SILENCE = 500 * MILLIS
        private const val RENEWED_AT_ONCE = 256
        private const val MOST_MINE = 64
    }
}
