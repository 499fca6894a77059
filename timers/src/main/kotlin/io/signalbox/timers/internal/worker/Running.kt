package io.signalbox.timers.internal.worker

import io.signalbox.Permit
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.internal.ledger.Claim
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Instant
import kotlinx.coroutines.Job

/** A timer that this worker has claimed, and its handler. */
internal class Running(
    val lane: Lane<*>,
    val claim: Claim,
    val token: Long,
    /** The permit of the topic's semaphore. */
    val permit: Permit?,
    val lag: Duration,
    /** When the claim is to be renewed, by the client's clock. */
    var renewAt: Long,
    /** When its handler is to be cancelled. */
    val timeoutAt: Long,
) {
    val due: Instant = Instant.fromEpochMilliseconds(claim.due)

    @Volatile
    var job: Job? = null

    /** Another worker has claimed the timer since. */
    @Volatile
    var isTaken = false

    /** What became of it is known, or decided; whatever its handler still does has no effect. Only the worker's loop touches it. */
    var isSettled = false
}

/** What became of a handler. */
internal sealed interface Outcome {
    class Success(
        val took: Duration,
    ) : Outcome

    class Failure(
        val cause: Throwable,
    ) : Outcome

    /** It could not be decoded. */
    class Unreadable(
        val cause: Throwable,
    ) : Outcome

    /** Its worker died at the last attempt. */
    data object Exhausted : Outcome
}

/** An outcome that is on its way to the store, and the event to report when it has arrived. */
internal class Pending(
    val running: Running?,
    val event: TimerEvent?,
    val count: Count,
)

/** What one pass over the ready timers counts. */
internal enum class Count { SUCCEEDED, RETRIED, PARKED, DEAD, NOTHING }

/** The server's clock as it was told in an answer, carried on by the client's. */
internal class ServerClock {
    private var micros = 0L
    private var at = 0L

    fun set(
        micros: Long,
        nanos: Long,
    ) {
        this.micros = micros
        at = nanos
    }

    fun now(nanos: Long): Instant = Instant.fromEpochSeconds(0, (micros + (nanos - at) / 1000) * 1000)

    fun sinceDue(
        nanos: Long,
        dueMillis: Long,
    ): Duration = (micros + (nanos - at) / 1000 - dueMillis * 1000).microseconds
}
