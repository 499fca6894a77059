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
                if (state.session === live) proceed(live, settled)
            }

            is Answer.Gap -> if (answer.last < sent.acknowledged) dataLost(settled) else repeatAll()

            is Answer.Lost ->
                when (answer.reason) {
                    Answer.Reason.DELETED -> state.deleted(answer.by, settled)
                    Answer.Reason.DATA_LOST -> dataLost(settled)
                    Answer.Reason.LAPSED -> state.endSession(Loss.LAPSED, settled)
                }

            Answer.Stale, Answer.Contradiction -> dataLost(settled)

            is Answer.Unreadable -> {
                val error = state.errors.unreadable(answer.format)
                // Refused, which is more than is known of what else is under way.
                sent.asks.forEach { settled.fail(it, error) }
                state.endSession(Loss.UNREADABLE, settled)
                state.giveUp(error, settled)
            }
        }
    }

    private fun dataLost(settled: Settled) = state.endSession(Loss.DATA_LOST, settled)

    /** Not before the first of them, if that is to be repeated later: the others would find the same gap. */
    private fun repeatAll() {
        val first = state.inFlight.first().retryAt
        val next = if (first == Long.MAX_VALUE) clock.nanos() else first
        state.inFlight.forEach { it.retryAt = next }
        state.schedule.ringIfBefore(next)
    }

    private fun apply(
        live: ClientSession,
        head: InFlight,
        settled: Settled,
    ) {
        val done = head.answer!!
        live.hear(head.exchange.number, done.now)
        live.deadline = maxOf(live.deadline, head.sentAt + state.settings.usableNanos)
        // Frozen for too long: what the answer grants was meant for a client that may not act on it any more.
        if (live.deadline <= clock.nanos()) return state.endSession(Loss.NOT_RENEWED, settled)
        if (done.record.given < head.knownGiven || done.record.admitted < head.knownAdmitted) return dataLost(settled)
        state.accepted(head.sentAt)
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
        done.record.run { live.cohort.hear(given, admitted, restrained, done.heldAfterGift) }
        val admissions = news(live, done.unread, settled)
        settleAcquires(live, head, done, admissions, settled)
        // Who was queued just now may be admitted by what had to wait for this answer: he is among those who wait.
        val waiterOf = { sequence: Long -> head.waiterOf(sequence)?.takeIf { it.ticket < 0 } ?: find(live, sequence) }
        if (!live.cohort.learn(admissions, done.record.admitted, waiterOf)) return dataLost(settled)
        // Behind a gap: whoever fills it finds them there.
        if (live.cohort.hasGap) head.waiters.filter { it.state == Waiter.State.SENT }.forEach { wait(live, it) }
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
        // Until here it is under way: whatever goes wrong, nobody in it is forgotten.
        state.inFlight.removeFirst()
        state.schedule.promised(if (live.waiting.isEmpty() && !live.cohort.waits) -1 else done.next, done.now)
    }

    /** What the ledger has given reaches whom it was given to. */
    private fun proceed(
        live: ClientSession,
        settled: Settled,
    ) {
        state.advance(live, settled)
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
                for (i in from until at) refuse(head.waiters[i], state.tooHeavy(head.waiters[i], done.permits), settled)
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

    /** As [problem]; a try that only a resize has made impossible is merely refused. */
    private fun refuse(
        waiter: Waiter,
        problem: TooHeavy,
        settled: Settled,
    ) = if (problem.isResized && !waiter.waits) refuse(waiter, settled) else settled.fail(waiter, problem)

    private fun queued(
        live: ClientSession,
        waiter: Waiter,
        ticket: Long,
    ) {
        waiter.ticket = ticket
        waiter.wasQueued = true
        when (waiter.state) {
            Waiter.State.ABANDONED -> state.leave(waiter)

            Waiter.State.SENT -> wait(live, waiter)

            // Admitted by an announcement that came before this.
            else -> Unit
        }
    }

    private fun wait(
        live: ClientSession,
        waiter: Waiter,
    ) {
        waiter.state = Waiter.State.QUEUED
        live.waiting[waiter.sequence] = waiter
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
            settled.resumeWithException(waiter, state.tooHeavy(waiter, permits))
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
        announcement.run { live.cohort.hear(given, admitted, restrained, held) }
        val admissions = news(live, announcement.unread, settled)
        if (!live.cohort.learn(admissions, announcement.admitted) { find(live, it) }) return dataLost(settled)
        proceed(live, settled)
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

                is News.Revoked -> state.revoke(live, fact.token, fact.by, settled)

                is News.Refused ->
                    repeat(fact.count) { nth ->
                        find(live, fact.sequence + nth)?.let { settled.fail(it, state.tooHeavy(it, state.knownPermits)) }
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
        if (waiter.minMillis > 0) permit.keptUntil = grantedAt + waiter.minMillis
        state.grant(live, waiter, permit, settled)
        if (permit.limited) {
            // The exchange that read serverNow was sent before the server's clock showed it.
            val from = live.sentAtServerNow + (grantedAt - live.serverNow) * CoordinationSettings.NANOS
            state.limit(permit, from, waiter.holdMillis, settled)
        }
    }
}
