package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.AcquireRun
import io.signalbox.internal.ledger.Announcement
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.News

/** What follows from answers and announcements. Guarded by the coordinator's lock, as [ClientState]. */
internal class Heard(
    private val coordinator: SemaphoreCoordinator,
    private val state: ClientState,
) {
    private val clock get() = state.clock
    private val outbox get() = state.outbox

    // ---- answers -----------------------------------------------------------------------------------------------------------

    fun answered(
        sent: InFlight,
        answer: Answer,
        settled: Settled,
    ) {
        val live = state.session
        if (sent.exchange.session != live?.id || sent !in state.inFlight) return
        when (answer) {
            is Answer.Done -> {
                sent.answer = answer
                // In their order: an answer that overtakes another waits for it.
                while (state.session === live) apply(live, state.inFlight.firstOrNull()?.takeIf { it.answer != null } ?: break, settled)
                if (state.session === live) proceed(live, answer.heldAfterGift, settled)
            }

            is Answer.Gap -> if (answer.last < sent.acknowledged) dataLost(settled) else repeatAll()

            is Answer.Lost -> state.endSession(dataMayBeLost = answer.reason == Answer.Reason.DATA_LOST, settled)

            Answer.Stale, Answer.Contradiction -> dataLost(settled)

            is Answer.Unreadable -> {
                state.endSession(dataMayBeLost = false, settled)
                state.giveUp(state.errors.unreadable(answer.format), settled)
            }
        }
    }

    private fun dataLost(settled: Settled) = state.endSession(dataMayBeLost = true, settled)

    private fun repeatAll() {
        state.inFlight.forEach { it.retryAt = clock.nanos() }
        state.schedule.ringIfBefore(clock.nanos())
    }

    private fun apply(
        live: ClientSession,
        head: InFlight,
        settled: Settled,
    ) {
        val done = head.answer!!
        live.acknowledged = head.exchange.number
        live.deadline = maxOf(live.deadline, head.sentAt + state.settings.usableNanos)
        // Frozen for too long: what the answer grants was meant for a client that may not act on it any more.
        if (live.deadline <= clock.nanos()) return state.endSession(dataMayBeLost = false, settled)
        if (done.record.given < head.knownGiven || done.record.admitted < head.knownAdmitted) return dataLost(settled)
        state.inFlight.removeFirst()
        state.lastProblem = null
        state.accepted()
        live.record = done.record
        live.calm = done.calm
        live.permits = done.permits
        live.heldHeard = done.held
        live.queuedHeard = done.queued
        live.serverNow = done.now
        live.sentAtServerNow = head.sentAt

        val queueLost = done.queues != Answer.SAME && live.queues >= 0 && done.queues != live.queues
        if (queueLost) requeue(live)
        if (done.queues != Answer.SAME) live.queues = done.queues
        done.record.run { live.cohort.hear(given, admitted, restrained) }
        val admissions = news(live, done.unread, settled)
        settleAcquires(live, head, done, admissions, settled)
        if (!live.cohort.learn(admissions, done.record.admitted) { head.waiterOf(it) ?: find(live, it) }) return dataLost(settled)
        while (live.unconfirmed.isNotEmpty() && live.unconfirmed.first().returnedAs <= head.exchange.words.returned) {
            settled.confirm(live.unconfirmed.removeFirst(), wasHeld = true)
        }
        head.releases.forEachIndexed { index, permit -> settled.confirm(permit, done.released[index]) }
        settleLeaves(live, head, done, nothingUnread = queueLost && !done.more)
        var command = 0
        for (ask in head.asks) {
            val result = if (ask.command != null) done.results[command++] else 0
            settled.complete(ask, Asked(done, result, head.sentAt))
        }
        if (done.permits < state.knownPermits) refuseTooHeavy(live, done.permits, settled)
        state.knownPermits = done.permits
        if (done.more) outbox.beat = true
        state.schedule.promised(if (live.waiting.isEmpty() && !live.cohort.waits) -1 else done.next, done.now)
    }

    /** What the ledger has given reaches whom it was given to. */
    private fun proceed(
        live: ClientSession,
        held: Int,
        settled: Settled,
    ) {
        state.advance(live, held, settled)
        live.cohort.run { if (isWorkedOff && words.dropped > live.record.dropped) outbox.beat = true }
        // An admission that nothing unanswered can tell any more: the ledger has forgotten that it told it.
        if (live.cohort.hasGap && state.inFlight.isEmpty()) dataLost(settled)
    }

    /** The outcomes of the acquires in [head] itself, in their order; those that were admitted are added to [admissions]. */
    private fun settleAcquires(
        live: ClientSession,
        head: InFlight,
        done: Answer.Done,
        admissions: MutableList<News.Admitted>,
        settled: Settled,
    ) {
        var token = done.firstToken
        var holders = done.heldBefore
        var ticket = done.firstTicket
        var at = 0
        head.exchange.acquires.forEachIndexed { index, run ->
            val granted = done.granted[index]
            val from = at
            at += run.count
            if (granted == Answer.IMPOSSIBLE) {
                for (i in from until at) settled.fail(head.waiters[i], state.errors.tooHeavy(head.waiters[i], done.permits))
                return@forEachIndexed
            }
            if (granted > 0 && run.isPlain) {
                val given = minOf(granted, maxOf(0, done.permits - holders))
                admissions += News.Admitted(head.exchange.firstSequence + from, token, granted, given, holders + given)
            }
            for (i in from until at) {
                val waiter = head.waiters[i]
                if (i - from < granted) {
                    holders += run.weight
                    if (!run.isPlain) grantListed(live, waiter, token, holders, done.now, settled)
                    token++
                } else if (run.waits) {
                    queued(live, waiter, ticket++)
                } else {
                    refuse(waiter, settled)
                }
            }
        }
    }

    private fun refuse(
        waiter: Waiter,
        settled: Settled,
    ) {
        if (waiter.state == Waiter.State.ABANDONED || waiter.state == Waiter.State.DONE) return
        waiter.state = Waiter.State.DONE
        settled.resume(waiter)
    }

    private fun queued(
        live: ClientSession,
        waiter: Waiter,
        ticket: Long,
    ) {
        waiter.ticket = ticket
        waiter.wasQueued = true
        when (waiter.state) {
            Waiter.State.ABANDONED -> state.leave(waiter)

            Waiter.State.SENT -> {
                waiter.state = Waiter.State.QUEUED
                live.waiting[waiter.sequence] = waiter
            }

            // Admitted by an announcement that came before this.
            else -> Unit
        }
    }

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
                // What became of the others is read, or will be.
                if (inRun < gone) return@repeat
                live.abandoned.remove(waiter.sequence)
                waiter.state = Waiter.State.DONE
            }
        }
    }

    private fun refuseTooHeavy(
        live: ClientSession,
        permits: Int,
        settled: Settled,
    ) {
        for (waiter in live.waiting.values.filter { it.weight > maxOf(permits, 1) }) {
            state.leave(waiter)
            settled.resumeWithException(waiter, state.errors.tooHeavy(waiter, permits))
        }
    }

    /** The ledger's queue was lost. This client's waiters queue again, in order; those admitted are not in it. */
    private fun requeue(live: ClientSession) {
        val waiters = live.waiting.values.toList()
        live.waiting.clear()
        state.putBack(waiters)
    }

    // ---- news --------------------------------------------------------------------------------------------------------------

    fun announced(
        announcement: Announcement,
        settled: Settled,
    ) {
        val live = state.session ?: return
        if (announcement.epoch != live.epoch) return
        live.heldHeard = announcement.held
        live.queuedHeard = announcement.queued
        announcement.run { live.cohort.hear(given, admitted, restrained) }
        val admissions = news(live, announcement.unread, settled)
        if (!live.cohort.learn(admissions, announcement.admitted) { find(live, it) }) return dataLost(settled)
        proceed(live, announcement.held, settled)
    }

    /** Takes in what became of queued waiters; returns who was admitted. What was read before is ignored. */
    private fun news(
        live: ClientSession,
        news: List<News>,
        settled: Settled,
    ): MutableList<News.Admitted> {
        val admissions = ArrayList<News.Admitted>(news.size + 1)
        for (fact in news) {
            when (fact) {
                is News.Admitted -> admissions += fact

                is News.Granted -> granted(live, fact, settled)

                is News.Refused ->
                    repeat(fact.count) { nth ->
                        find(live, fact.sequence + nth)?.let { settled.fail(it, state.errors.tooHeavy(it, state.knownPermits)) }
                    }
            }
        }
        return admissions
    }

    private fun granted(
        live: ClientSession,
        fact: News.Granted,
        settled: Settled,
    ) {
        for (nth in 0 until fact.count) {
            val waiter = find(live, fact.sequence + nth) ?: continue
            val holders = fact.held - waiter.weight * (fact.count - 1 - nth)
            grantListed(live, waiter, fact.token + nth, holders, fact.grantedAt, settled)
        }
    }

    /** Who waits with [sequence] or has given that up, if nothing has become of it yet. */
    private fun find(
        live: ClientSession,
        sequence: Long,
    ): Waiter? =
        live.waiting.remove(sequence)
            ?: live.abandoned.remove(sequence)?.also(outbox.leaves::remove)
            ?: state.inFlight.firstNotNullOfOrNull { it.waiterOf(sequence) }

    /** Hands a listed permit to [waiter], or back if nobody waits for it any more. */
    private fun grantListed(
        live: ClientSession,
        waiter: Waiter,
        token: Long,
        holders: Int,
        grantedAt: Long,
        settled: Settled,
    ) {
        if (waiter.state == Waiter.State.DONE) return
        val permit = HeldPermit(coordinator, token, waiter.weight, holders, limited = waiter.holdMillis >= 0, clock.nanos())
        val abandoned = waiter.state == Waiter.State.ABANDONED
        if (abandoned) {
            waiter.state = Waiter.State.DONE
            permit.isUnseen = true
            permit.session = live
            permit.markReleased()
            permit.isReturning = true
            outbox.releases.addLast(permit)
            return
        }
        state.grant(live, waiter, permit, settled)
        if (permit.limited) {
            // The exchange that read serverNow was sent before the server's clock showed it.
            val from = live.sentAtServerNow + (grantedAt - live.serverNow) * CoordinationSettings.NANOS
            state.limit(permit, from, waiter.holdMillis, settled)
        }
    }
}
