package io.signalbox.internal.coordination

import io.signalbox.SemaphoreNotFoundException
import io.signalbox.internal.ledger.LedgerFailure

/** What follows from deliveries that fail and answers that do not come. Guarded by the coordinator's lock, as [ClientState]. */
internal class Failures(
    private val state: ClientState,
) {
    /**
     * A delivery failed. Whatever the error, the exchange may have been executed, or will be by a repetition: it is repeated until it is
     * answered or its session is over, so nothing that is held, queued or returned is forgotten. A refusal that will not pass soon is told
     * to those who have just begun to ask.
     */
    fun failed(
        sent: InFlight,
        failure: LedgerFailure,
        settled: Settled,
    ) {
        val live = state.session
        if (sent.exchange.session != live?.id || sent !in state.inFlight) return
        state.lastProblem = failure.error
        if (failure.final && !failure.executed && sent.attempts == 1 && sent === state.inFlight.last()) {
            return recall(live, sent, failure.error, settled)
        }
        if (failure.final) {
            sent.waiters.forEach { refuse(it, Waiter.State.ABANDONED, failure.error, settled) }
            sent.asks.forEach { settled.fail(it, failure.error) }
            refuseNewcomers(failure.error, settled)
        }
        sent.retryAt = state.clock.nanos() + state.settings.backoffNanos(sent.attempts)
        state.schedule.ringIfBefore(sent.retryAt)
    }

    /** Refused as a whole and never executed: its number is free again, and what it said is said by the next. */
    private fun recall(
        live: ClientSession,
        sent: InFlight,
        error: Throwable,
        settled: Settled,
    ) {
        state.inFlight.remove(sent)
        live.nextNumber = sent.exchange.number
        sent.waiters.forEach { refuse(it, Waiter.State.DONE, error, settled) }
        sent.asks.forEach { settled.fail(it, error) }
        state.outbox.leaves.addAll(0, sent.leaves)
        state.outbox.releases.addAll(0, sent.releases)
        refuseNewcomers(error, settled)
        state.refused(sent.waiters.filter { it.state == Waiter.State.SENT })
    }

    private fun refuse(
        waiter: Waiter,
        next: Waiter.State,
        error: Throwable,
        settled: Settled,
    ) {
        if (waiter.state == Waiter.State.ABANDONED) waiter.state = next
        if (waiter.state != Waiter.State.SENT || waiter.wasQueued) return
        settled.fail(waiter, error)
        waiter.state = next
    }

    private fun refuseNewcomers(
        error: Throwable,
        settled: Settled,
    ) {
        val newcomers = state.outbox.acquires.filter { !it.wasQueued && it.state == Waiter.State.PENDING }
        newcomers.forEach { settled.fail(it, error) }
        state.outbox.acquires.removeAll(newcomers.toSet())
        state.outbox.asks.forEach { settled.fail(it, error) }
        state.outbox.asks.clear()
    }

    /** Fails what only needs an answer of the store and has waited for it too long. Queued acquires wait on. */
    fun failOverdue(settled: Settled) {
        val limit = state.clock.nanos() - state.settings.storeTimeoutNanos
        val cause = state.lastProblem
        for (waiter in state.outbox.acquires) {
            if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.PENDING) continue
            val error = if (cause is SemaphoreNotFoundException) cause else state.errors.unavailable("the acquire was not sent", cause)
            settled.fail(waiter, error)
        }
        state.outbox.acquires.removeAll { it.state == Waiter.State.DONE }
        for (sent in state.inFlight) {
            for (waiter in sent.waiters) {
                if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.SENT) continue
                settled.fail(waiter, state.errors.unavailable("if the acquire was granted, it is given back", cause))
                waiter.state = Waiter.State.ABANDONED
            }
            sent.asks.filter {
                it.since <= limit
            }.forEach { settled.fail(it, state.errors.unavailable("it may or may not have been carried out", cause)) }
        }
        val overdue = state.outbox.asks.filter { it.since <= limit }
        overdue.forEach { settled.fail(it, state.errors.unavailable("it was not carried out", cause)) }
        state.outbox.asks.removeAll(overdue)
    }
}
