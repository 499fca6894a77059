package io.signalbox.timers.internal

import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.internal.SignalboxBackend
import io.signalbox.internal.ledger.LedgerFailure
import io.signalbox.timers.internal.ledger.Change
import io.signalbox.timers.internal.ledger.SetTimer
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.TopicWrite
import io.signalbox.timers.internal.ledger.Write
import io.signalbox.timers.internal.ledger.WriteAnswer
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.DelicateCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.delay
import kotlinx.coroutines.isActive
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * What this client has to say about the timers of one shard, one request at a time: while one is on its way, operations of all
 * coroutines gather, and leave together in the next. So a request is never overtaken by its own repetition, and load makes batches.
 */
internal class WriteLine(
    private val shard: Int,
    private val ledger: TimerLedger,
    private val backend: SignalboxBackend,
    private val boundMillis: Long,
) {
    private val lock = ReentrantLock()
    private val waiting = ArrayDeque<Operation>()
    private var flight: Job? = null
    private var isClosed = false
    private var session = backend.client.nextSession()
    private var number = 0L

    fun submit(operations: List<Operation>) {
        lock.withLock {
            if (isClosed || !backend.scope.isActive) {
                operations.forEach { it.drop() }
                throw SignalboxClosedException(CLOSED)
            }
            val now = backend.clock.nanos()
            operations.forEach { it.since = now }
            waiting.addAll(operations)
            // Also if the scope ends at this moment: then only to say so.
            @OptIn(DelicateCoroutinesApi::class)
            if (flight == null) flight = backend.scope.launch(start = CoroutineStart.ATOMIC) { flyAll() }
        }
    }

    private suspend fun flyAll() {
        try {
            while (true) {
                val batch = nextBatch() ?: return
                try {
                    fly(batch)
                } catch (stop: CancellationException) {
                    batch.forEach { it.failed(SignalboxClosedException(CLOSED_IN_FLIGHT)) }
                    throw stop
                } catch (problem: Throwable) {
                    // Also an Error: nobody may wait for ever.
                    batch.forEach { it.failed(problem) }
                }
            }
        } catch (stop: CancellationException) {
            failAll(SignalboxClosedException(CLOSED))
            throw stop
        }
    }

    /** The operations that go next: none of them about a timer that another one is about, so that their order does not matter. */
    private fun nextBatch(): List<Operation>? =
        lock.withLock {
            val batch = ArrayList<Operation>(minOf(waiting.size, MAX_BATCH))
            val timers = HashSet<Operation.Timer>()
            var bytes = 0
            while (batch.size < MAX_BATCH && bytes < MAX_BYTES) {
                val next = waiting.firstOrNull() ?: break
                if (next.isAbandoned) {
                    next.drop()
                } else {
                    if (!timers.add(next.timer)) break
                    batch.add(next)
                    bytes += next.size
                }
                waiting.removeFirst()
            }
            if (batch.isEmpty()) flight = null
            batch.ifEmpty { null }
        }

    private suspend fun fly(batch: List<Operation>) {
        val topics = batch.groupBy { it.topic }
        val writes =
            topics.map { (topic, operations) -> TopicWrite(topic, operations.mapNotNull { it.set }, operations.mapNotNull { it.change }) }
        number++
        var attempt = 0
        var refusals = 0
        var isUncertain = false
        while (true) {
            try {
                when (val answer = ledger.write(shard, Write(session, number, boundMillis, writes))) {
                    is WriteAnswer.Done -> {
                        return done(topics.values, answer)
                    }

                    // It was not executed: the server has lost its data, or this client has been silent for very long.
                    WriteAnswer.Lost -> {
                        startSession()
                    }

                    WriteAnswer.Stale -> {
                        throw IllegalStateException("The store has seen a later request of this session.")
                    }
                }
            } catch (failure: LedgerFailure) {
                isUncertain = isUncertain || failure.executed
                // Once more, because another server may be the primary by now.
                if (failure.refused && !failure.isOutOfMemory && ++refusals > 1) return refused(batch, failure, isUncertain)
                if (failure.final) return batch.forEach { it.failed(failure.error) }
                val adding = if (failure.isOutOfMemory) batch.filter { it.addsTimer } else emptyList()
                if (adding.isNotEmpty()) {
                    // Nothing of it was executed. What needs no memory goes without them, under a number of its own.
                    val refused = StoreUnavailableException(outOfMemory(isUncertain), failure.error)
                    adding.forEach { it.failed(refused) }
                    val rest = batch.filterNot { it.addsTimer }
                    return if (rest.isEmpty()) Unit else fly(rest)
                }
                val limit = backend.clock.nanos() - backend.settings.storeTimeoutNanos
                if (batch.all { it.since < limit }) return timedOut(batch, failure, limit, isUncertain)
            }
            delay(backend.settings.backoffNanos(attempt++).nanoseconds)
        }
    }

    private fun refused(
        batch: List<Operation>,
        failure: LedgerFailure,
        isUncertain: Boolean,
    ) {
        val became = if (isUncertain) "may have been changed or not" else "were not changed"
        val refusal = StoreUnavailableException("${failure.told().message} The timers $became.", failure.error)
        batch.forEach { it.failed(refusal) }
    }

    private fun done(
        topics: Collection<List<Operation>>,
        answer: WriteAnswer.Done,
    ) {
        val results = answer.results.iterator()
        val refused = answer.refused.toSet()
        var settings = 0
        for (operations in topics) {
            for (one in operations) {
                when {
                    one.change != null -> one.done(results.next())
                    settings++ in refused -> one.failed(recurs(one))
                    else -> one.done(true)
                }
            }
        }
    }

    private fun recurs(operation: Operation) =
        IllegalStateException(
            "Timer '${operation.id}' of topic '${operation.topic}' recurs, and setting it to fire once would end that; nothing was " +
                "changed. Cancel it first, set it by scheduleRecurring, or use another id.",
        )

    private fun startSession() {
        session = backend.client.nextSession()
        number = 1
    }

    private val LedgerFailure.isOutOfMemory: Boolean get() = refused && "OOM" in error.message.orEmpty()

    private fun outOfMemory(isUncertain: Boolean): String =
        "The server is out of memory (maxmemory) and refuses new timers: " +
            (if (isUncertain) "these may have been set or not" else "these were not set") + ". Cancelling still works."

    private fun timedOut(
        batch: List<Operation>,
        failure: LedgerFailure,
        limit: Long,
        isUncertain: Boolean,
    ) {
        val became = if (isUncertain) "the timers may have been changed or not" else "the timers were not changed"
        val sent =
            StoreUnavailableException(
                "The store gave no usable answer in time; $became. Last problem: ${failure.error.message}",
                failure.error,
            )
        batch.forEach { it.failed(sent) }
        val unsent =
            StoreUnavailableException(
                "The store cannot be reached; the timers were not changed. Last problem: ${failure.error.message}",
                failure.error,
            )
        lock.withLock { waiting.filter { it.since < limit }.also { waiting.removeAll(it) } }.forEach { it.failed(unsent) }
    }

    private fun failAll(problem: Throwable) {
        lock.withLock { waiting.toList().also { waiting.clear() } }.forEach { it.failed(problem) }
    }

    /** What was submitted before is still sent. */
    fun close() = lock.withLock { isClosed = true }

    /** Gives up what has not been answered. */
    fun end() {
        lock.withLock { flight }?.cancel()
    }

    suspend fun awaitEnd() {
        lock.withLock { flight }?.join()
    }

    private companion object {
        /** Keeps a script below some milliseconds. */
        const val MAX_BATCH = 500
        const val MAX_BYTES = 4 shl 20
        const val CLOSED = "This client was closed. Make a new one with Signalbox.connect()."
        const val CLOSED_IN_FLIGHT = "This client was closed before the store had answered; the timers may have been changed or not."
    }
}

/** One timer to be set, or one change. Ends once: it is [done], has [failed], or was [dropped][drop] unsent. */
internal class Operation(
    val topic: String,
    val set: SetTimer?,
    val change: Change?,
    private val completion: Completion,
) {
    val id: String = set?.id ?: change!!.id
    val timer: Timer = Timer(topic, id)
    var onEnd: (Timer) -> Unit = {}

    data class Timer(
        val topic: String,
        val id: String,
    )

    fun done(result: Boolean) = told { completion.done(result) }

    fun failed(problem: Throwable) = told { completion.failed(problem) }

    /** Whose dispatcher throws is the only one to suffer from it. */
    private inline fun told(tell: () -> Unit) {
        onEnd(timer)
        try {
            tell()
        } catch (problem: Throwable) {
            Problems.log(log, problem) { log.warn("Somebody who waited for timer '{}' of topic '{}' could not be told", id, topic, it) }
        }
    }

    /** Nobody waits for it any more. */
    fun drop() = onEnd(timer)

    val size: Int get() = set?.record?.size ?: (change as? Change.Keep)?.record?.size ?: 0

    /** Whether it may need memory that the server has not got any more. */
    val addsTimer: Boolean get() = set != null || change is Change.Keep

    private companion object {
        val log = LoggerFactory.getLogger(Operation::class.java)
    }

    /** By the client's clock. */
    var since = 0L

    /** Nobody waits for it any more. Sent nevertheless if it is on its way. */
    @Volatile
    var isAbandoned = false
}

/** Who waits for an operation. Called once. */
internal interface Completion {
    fun done(result: Boolean)

    fun failed(problem: Throwable)
}
