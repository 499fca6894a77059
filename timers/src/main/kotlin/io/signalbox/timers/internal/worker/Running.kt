package io.signalbox.timers.internal.worker

import io.signalbox.Permit
import io.signalbox.timers.Recurrence
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.internal.Content
import io.signalbox.timers.internal.Records
import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Settlement
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.microseconds
import kotlinx.coroutines.Job

/** A timer that this worker has claimed, and its handler. */
internal class Running(
    val lane: Lane<*>,
    val claim: Claim,
    val token: Long,
    /** The permit of the topic's semaphore. */
    val permit: Permit?,
    /** When it was claimed, by the server's clock. */
    takenMicros: Long,
    /** When the claim is to be renewed, by the client's clock. */
    var renewAt: Long,
    /** When its handler is to be cancelled. */
    val timeoutAt: Long,
    /** When it is to be said that its handler takes long. */
    var warnAt: Long,
    val begunAt: Long,
) {
    /** Whether it was told to run before it is due. */
    val isEarly: Boolean = claim.due > takenMicros / MICROS
    val due: Instant = Instant.ofEpochMilli(if (isEarly) takenMicros / MICROS else claim.due)

    /** A retry or a lapsed claim was not due at its due time; its lag says nothing. */
    val lag: Duration = (takenMicros - due.toEpochMilli() * MICROS).microseconds
    private val content: Result<Content> = runCatching { Records.read(claim.record) }
    val metadata: Map<String, String> = content.getOrNull()?.metadata.orEmpty()

    /** How it comes again; `null` if it does not, or nobody knows. */
    val recurrence: Recurrence? = content.getOrNull()?.recurrence
    val occurrencesOver: Int = content.getOrNull()?.over ?: 0

    /** Why the record cannot be read, its payload aside. */
    val unreadable: Throwable? = content.exceptionOrNull()

    @Volatile
    var job: Job? = null

    /** Another worker has claimed the timer since. */
    @Volatile
    var isTaken = false

    /** Its handler has ended, and its next occurrence is being brought to another shard. Only the worker's loop touches it. */
    var isMoving = false

    /** What became of it is known, or decided; whatever its handler still does has no effect. Only the worker's loop touches it. */
    var isSettled = false

    private companion object {
        const val MICROS = 1000
    }
}

/** What became of a handler. */
internal sealed interface Outcome {
    class Success(
        val took: Duration,
    ) : Outcome

    class Failure(
        val cause: Throwable,
        /** `null` if it did not begin. */
        val took: Duration? = null,
    ) : Outcome

    /** It could not be decoded. */
    class Unreadable(
        val cause: Throwable,
    ) : Outcome

    /** Its worker died at the last attempt. */
    data object Exhausted : Outcome

    /** It was decided before what is to be said, and the timer's next occurrence has been brought to another shard since, or was not. */
    class Moved(
        val settlement: Settlement,
        val pending: Pending,
    ) : Outcome
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

    fun now(nanos: Long): Instant = micros(nanos).let { Instant.ofEpochSecond(it / MILLION, it % MILLION * 1000) }

    fun micros(nanos: Long): Long = micros + (nanos - at) / 1000

    private companion object {
        const val MILLION = 1_000_000L
    }
}
