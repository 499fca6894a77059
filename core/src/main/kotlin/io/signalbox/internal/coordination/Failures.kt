package io.signalbox.internal.coordination

import io.signalbox.SemaphoreNotFoundException
import io.signalbox.internal.ledger.LedgerFailure

/** What follows from deliveries that fail and answers that do not come. Guarded by the coordinator's lock, as [ClientState]. */
internal class Failures(
    private val state: ClientState,
) {
    fun Settled.failed(
        sent: InFlight,
        failure: LedgerFailure,
    ) {
        val live = state.session
        if (sent.exchange.session != live?.id || sent !in state.inFlight) return
        state.lastProblem = failure.error
        if (!failure.final) {
            sent.retryAt = state.clock.nanos() + state.settings.backoffNanos(sent.attempts)
            return state.schedule.ringIfBefore(sent.retryAt)
        }
        // Refused as a whole, before anything was written: its number is free again. Find the culprit by halves.
        state.inFlight.remove(sent)
        live.nextNumber = sent.exchange.number
        live.runs.restore(sent.exchange.releases)
        if (sent.waiters.isEmpty() || sent.operations == 1) return failAll(sent, failure.error)
        sent.asks.forEach { fail(it, failure.error) }
        state.outbox.leaves.addAll(0, sent.leaves)
        state.outbox.releases.addAll(0, sent.allReleases)
        val waiters = sent.waiters.filter { it.state == Waiter.State.SENT }
        waiters.forEach { it.state = Waiter.State.PENDING }
        when {
            waiters.isEmpty() -> Unit
            sent.operations == sent.waiters.size -> state.outbox.suspects.addAll(0, waiters.chunked((waiters.size + 1) / 2))
            else -> state.outbox.suspects.addFirst(waiters)
        }
    }

    private fun Settled.failAll(
        sent: InFlight,
        error: Throwable,
    ) {
        sent.waiters.forEach { if (it.state == Waiter.State.SENT) fail(it, error) }
        sent.allReleases.forEach { permit -> permit.awaiting?.let { resumeWithException(it, error) } }
        sent.asks.forEach { fail(it, error) }
    }

    /** Fails what only needs an answer of the store and has waited for it too long. Queued acquires wait on. */
    fun Settled.failOverdue() {
        val limit = state.clock.nanos() - state.settings.storeTimeoutNanos
        val cause = state.lastProblem
        for (waiter in state.outbox.acquires) {
            if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.PENDING) continue
            fail(waiter, if (cause is SemaphoreNotFoundException) cause else state.errors.unavailable("the acquire was not sent", cause))
        }
        state.outbox.acquires.removeAll { it.state == Waiter.State.DONE }
        for (sent in state.inFlight) {
            for (waiter in sent.waiters) {
                if (waiter.since > limit || waiter.wasQueued || waiter.state != Waiter.State.SENT) continue
                fail(waiter, state.errors.unavailable("if the acquire was granted, it is given back", cause))
                waiter.state = Waiter.State.ABANDONED
            }
            sent.asks.filter {
                it.since <= limit
            }.forEach { fail(it, state.errors.unavailable("it may or may not have been carried out", cause)) }
        }
        val overdue = state.outbox.asks.filter { it.since <= limit }
        overdue.forEach { fail(it, state.errors.unavailable("it was not carried out", cause)) }
        state.outbox.asks.removeAll(overdue)
    }

    fun Settled.failOutbox(error: Throwable) {
        (state.outbox.acquires + state.outbox.suspects.flatten()).forEach { fail(it, error) }
        state.outbox.releases.forEach { confirm(it, wasHeld = false) }
        state.outbox.asks.forEach { fail(it, error) }
        state.outbox.clear()
    }
}
