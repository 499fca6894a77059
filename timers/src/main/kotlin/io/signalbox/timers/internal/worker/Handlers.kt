package io.signalbox.timers.internal.worker

import io.signalbox.timers.Route
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerInterceptor
import io.signalbox.timers.TimerMetadata
import io.signalbox.timers.TimerScope
import io.signalbox.timers.internal.Problems
import io.signalbox.timers.internal.Records
import io.signalbox.timers.internal.ledger.Due
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.Shelf
import java.time.Instant
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/** Runs handlers in [scope], and decides what follows from what became of them. Whatever they throw is their timer's problem alone. */
internal class Handlers(
    private val scope: CoroutineScope,
    private val context: Any?,
    private val interceptors: List<TimerInterceptor<*>>,
    val reporter: Reporter,
    private val time: TimeSource,
) {
    fun start(
        running: Running,
        onEnd: (Outcome) -> Unit,
    ) {
        val metadata = if (running.metadata.isEmpty()) EmptyCoroutineContext else TimerMetadata(running.metadata)
        val job =
            try {
                scope.launch(metadata) { onEnd(outcome(running)) }
            } catch (problem: Throwable) {
                // Its dispatcher cannot take it, which is this timer's problem alone.
                return onEnd(Outcome.Failure(problem))
            }
        running.job = job
        // Cancelled before it began.
        job.invokeOnCompletion { cause -> if (cause != null) onEnd(Outcome.Failure(cause)) }
        // The permit is what keeps others out: without it this handler has no right to go on.
        running.permit?.onLost {
            onEnd(Outcome.Failure(PermitLost()))
            job.cancel()
        }
    }

    private suspend fun outcome(running: Running): Outcome {
        val claim = running.claim

        @Suppress("UNCHECKED_CAST")
        val route = running.lane.route as Route<Any?, Any?>
        if (claim.attempt == 1) reporter.recordLag(running.lag)
        if (reporter.isHeard) reporter.report(TimerEvent.Fired(running.lane.name, claim.id, running.due, claim.attempt, running.lag))
        running.unreadable?.let { return Outcome.Unreadable(it) }
        val payload =
            try {
                route.topic.codec.decode(Records.payloadOf(claim.record))
            } catch (problem: Throwable) {
                return Outcome.Unreadable(problem)
            }
        val begun = time.markNow()
        return try {
            val timer = TimerScope(context, running.lane.name, claim.id, running.due, claim.attempt, running.token, running.metadata)
            handle(timer, 0) { route.handler(timer, payload) }
            Outcome.Success(begun.elapsedNow())
        } catch (problem: Throwable) {
            Outcome.Failure(problem, begun.elapsedNow())
        }
    }

    /** Inside of the interceptors from [index] on, the first one outermost. */
    private suspend fun handle(
        timer: TimerScope<Any?>,
        index: Int,
        handler: suspend () -> Unit,
    ) {
        if (index == interceptors.size) return handler()
        @Suppress("UNCHECKED_CAST")
        (interceptors[index] as TimerInterceptor<Any?>).around(timer) { handle(timer, index + 1, handler) }
    }

    fun conclude(
        running: Running,
        outcome: Outcome,
        now: Instant,
    ): Pair<Settlement, Pending> =
        when (outcome) {
            is Outcome.Moved -> Pair(outcome.settlement, outcome.pending)
            is Outcome.Failure if running.isTaken -> overtaken(running)
            is Outcome.Success -> succeeded(running, outcome, now)
            // A worker of another version may be able to; and what recurs is never off its timeline because of one payload.
            is Outcome.Unreadable if running.recurrence != null -> failed(running, outcome.cause, null, now)
            is Outcome.Unreadable -> unreadable(running, outcome.cause)
            is Outcome.Exhausted -> dead(running, null, null, now)
            is Outcome.Failure -> failed(running, outcome.cause, outcome.took, now)
        }

    private fun succeeded(
        running: Running,
        outcome: Outcome.Success,
        now: Instant,
    ): Pair<Settlement, Pending> {
        val event = ifHeard { TimerEvent.Succeeded(running.lane.name, running.claim.id, running.due, running.claim.attempt, outcome.took) }
        return Pair(done(running, now), Pending(running, event, Count.SUCCEEDED))
    }

    /** Another worker has it: this settlement will have no effect, and be reported so. */
    private fun overtaken(running: Running): Pair<Settlement, Pending> =
        Pair(Settlement.HandBack(running.claim.id, running.token), Pending(running, superseded(running), Count.NOTHING))

    /** This occurrence is over: the next one, if there is one. */
    private fun done(
        running: Running,
        now: Instant,
    ): Settlement {
        val id = running.claim.id
        val recurrence = running.recurrence ?: return Settlement.Acknowledge(id, running.token)
        val over = running.occurrencesOver + 1
        val most = recurrence.count
        if (most != null && over >= most) return Settlement.Acknowledge(id, running.token)
        val head = if (most == null) null else Records.head(recurrence, over)
        // One that was told to run at once has its own time still before it.
        if (running.isEarly) return Settlement.Repeat(id, running.token, Due.at(running.claim.due), head)
        val next = recurrence.next(running.due, now) ?: return Settlement.Acknowledge(id, running.token)
        val due = recurrence.pauseMillis?.let(Due::after) ?: Due.at(next.toEpochMilli())
        return Settlement.Repeat(id, running.token, due, head)
    }

    private fun unreadable(
        running: Running,
        cause: Throwable,
    ): Pair<Settlement, Pending> {
        val claim = running.claim
        log.warn("Timer '{}' of topic '{}' cannot be decoded and is parked: {}", claim.id, running.lane.name, cause.javaClass.name)
        val event = ifHeard { TimerEvent.Parked(running.lane.name, claim.id, running.due, claim.attempt, cause) }
        return Pair(
            Settlement.Shelve(claim.id, running.token, Shelf.PARKED, Problems.describe(cause)),
            Pending(running, event, Count.PARKED),
        )
    }

    private fun failed(
        running: Running,
        cause: Throwable,
        took: Duration?,
        now: Instant,
    ): Pair<Settlement, Pending> {
        val claim = running.claim
        if (claim.attempt >= running.lane.settings.attempts) return dead(running, cause, took, now)
        val pause = running.lane.settings.pauseAfter(claim.attempt)
        Problems.log(log, cause) { shown ->
            log.info(
                "Timer '{}' of topic '{}' failed at attempt {} and comes again in {}",
                claim.id,
                running.lane.name,
                claim.attempt,
                pause,
                shown,
            )
        }
        val event = ifHeard { TimerEvent.Retried(running.lane.name, claim.id, running.due, claim.attempt, pause, cause, took) }
        return Pair(Settlement.Retry(claim.id, running.token, Due.after(pause.inWholeMilliseconds)), Pending(running, event, Count.RETRIED))
    }

    private fun dead(
        running: Running,
        cause: Throwable?,
        took: Duration?,
        now: Instant,
    ): Pair<Settlement, Pending> {
        val claim = running.claim
        val why = if (cause == null) "its worker died, or lost it" else Problems.describe(cause)
        val attempts = minOf(claim.attempt, running.lane.settings.attempts)
        val event = ifHeard { TimerEvent.Dead(running.lane.name, claim.id, running.due, attempts, cause, took) }
        val pending = Pending(running, event, Count.DEAD)
        val recurs = running.recurrence != null
        val text =
            if (recurs) {
                "An occurrence of timer '{}' of topic '{}' has failed {} times and is given up"
            } else {
                "Timer '{}' of topic '{}' has failed {} times and is dead"
            }
        if (cause == null) {
            log.warn(text, claim.id, running.lane.name, attempts)
        } else {
            Problems.log(log, cause) { shown -> log.warn(text, claim.id, running.lane.name, attempts, shown) }
        }
        if (recurs) return Pair(done(running, now), pending)
        return Pair(Settlement.Shelve(claim.id, running.token, Shelf.DEAD, "Attempt $attempts of $attempts: $why"), pending)
    }

    private inline fun ifHeard(event: () -> TimerEvent): TimerEvent? = if (reporter.isHeard) event() else null

    internal companion object {
        private val log = LoggerFactory.getLogger(Handlers::class.java)

        fun superseded(running: Running): TimerEvent =
            TimerEvent.Superseded(running.lane.name, running.claim.id, running.due, running.claim.attempt)
    }
}

/** The permit that a handler ran under was lost. */
internal class PermitLost : RuntimeException("The permit of the topic's semaphore was lost while the handler ran.")
