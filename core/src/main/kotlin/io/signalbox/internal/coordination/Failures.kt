package io.signalbox.internal.coordination

import io.signalbox.SemaphoreNotFoundException
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.internal.redis.RedisErrors
import org.slf4j.Logger
import org.slf4j.LoggerFactory

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
        if (!failure.executed) sent.notExecuted++
        // Who was sent to a replica is asked once more: another server may be the primary now, behind the same address.
        val isTold = failure.final || (failure.refused && (sent.notExecuted > 1 || !RedisErrors.isReadOnly(failure.error)))
        if (isTold) {
            val error = failure.told()
            warnOnce(error, settled)
            if (sent.notExecuted == sent.attempts && sent === state.inFlight.last()) return recall(live, sent, error, settled)
            // What has left behind it is not executed before it is.
            for (concerned in state.inFlight.dropWhile { it !== sent }) {
                concerned.waiters.forEach { refuse(it, Waiter.State.ABANDONED, error, settled) }
                concerned.asks.forEach { settled.fail(it, error) }
            }
            refuseNewcomers(error, settled)
        }
        sent.retryAt = state.clock.nanos() + state.settings.backoffNanos(sent.attempts)
        state.schedule.ringIfBefore(sent.retryAt)
    }

    /** The next session cannot be begun. Whoever has just begun to ask is told; what is held, queued or returned is not given up. */
    fun notOpened(
        failure: LedgerFailure,
        settled: Settled,
    ) {
        state.lastProblem = failure.error
        if (!failure.final && !failure.refused) return
        val error = failure.told()
        warnOnce(error, settled)
        refuseNewcomers(error, settled)
    }

    /** Until something is answered again. */
    private fun warnOnce(
        error: Throwable,
        settled: Settled,
    ) {
        if (state.isWarnedOf) return
        state.isWarnedOf = true
        settled.afterwards { log.warn(REFUSED, state.errors.subject, error.message) }
    }

    /** There is a connection again: what could not be delivered need not wait for the end of a pause. */
    fun retryNow() {
        val now = state.clock.nanos()
        for (sent in state.inFlight) {
            if (sent.retryAt != Long.MAX_VALUE) sent.retryAt = minOf(sent.retryAt, now)
        }
        state.schedule.ringIfBefore(now)
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

    /**
     * Something was thrown while the answer to [sent], or an announcement, was taken in: a bug here, or a store that is none. Whose call that
     * belongs to is told [error]; what else there is begins anew, with what the store makes of it.
     */
    fun notApplied(
        sent: InFlight?,
        error: Throwable,
        settled: Settled,
    ) {
        for (concerned in state.inFlight.filter { it === sent || it.answer != null }) {
            concerned.waiters.forEach { settled.fail(it, error) }
            concerned.asks.forEach { settled.fail(it, error) }
        }
        state.lastProblem = error
        state.endSession(Loss.DATA_LOST, settled)
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

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Failures::class.java)
        const val REFUSED = "What is asked for {} is refused; what is held, queued or being returned is said again until it is taken: {}"
    }
}
