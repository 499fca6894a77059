package io.signalbox.benchmarks.timers

import io.signalbox.Signalbox
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import java.time.Duration
import java.time.Instant
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import org.HdrHistogram.Histogram

private val Jobs = topic<String>("jobs")
private val Idle = topic<String>("idle")

/** This library. */
internal class SignalboxTimerContender(
    uri: String,
    private val concurrency: Int = 256,
) : TimerContender {
    override val title = "signalbox ($concurrency handlers)"
    private val client = Signalbox.connect(uri) { namespace = "bench-timers-$concurrency" }
    private val scope = CoroutineScope(Dispatchers.Default)
    private val onHandled = AtomicReference<(due: Instant) -> Unit> { }

    private val timers =
        Timers(client) {
            this.concurrency = this@SignalboxTimerContender.concurrency
            on(Jobs) { onHandled.get()(due) }
            declare(Idle)
        }

    /** Of each topic. */
    private var filled = 0L

    override suspend fun schedule(
        count: Int,
        coroutines: Int,
    ): Long = scheduleAndCancel(count, coroutines).first

    /** How many nanoseconds either took. */
    suspend fun scheduleAndCancel(
        count: Int,
        coroutines: Int,
    ): Pair<Long, Long> {
        val set = closedLoop(count, coroutines) { timers.schedule(Idle, "job-$it", PAYLOAD, after = 1.days) }
        check(timers.count(Idle) == count + filled) { "signalbox: not all timers were stored." }
        val cancelled = closedLoop(count, coroutines) { timers.cancel(Idle, "job-$it") }
        check(timers.count(Idle) == filled) { "signalbox: not all timers were cancelled." }
        return Pair(set, cancelled)
    }

    /** Leaves timers behind that are not due for long, spread over a day: half of them in either topic. */
    suspend fun fill(numbers: IntRange) {
        for (chunk in numbers.chunked(10_000)) {
            val (one, two) = chunk.map { NewTimer("pending-$it", PAYLOAD, 1.days + (it % 86_400).seconds) }.chunked(chunk.size / 2)
            timers.scheduleAll(Idle, one)
            timers.scheduleAll(Jobs, two)
        }
        filled += numbers.count() / 2
    }

    override suspend fun drain(count: Int): Long = drain(count) {}

    suspend fun drain(
        count: Int,
        onSet: () -> Unit,
    ): Long {
        val left = AtomicInteger(count)
        val end = CompletableDeferred<Long>()
        onHandled.set { if (left.decrementAndGet() == 0) end.complete(System.nanoTime()) }
        val due = timers.now().plusMillis(aheadMillis(count))
        timers.scheduleAll(Jobs, List(count) { NewTimer("job-$it", PAYLOAD, at = due) })
        val dueNanos = System.nanoTime() + Duration.between(timers.now(), due).toNanos()
        check(dueNanos > System.nanoTime()) { "signalbox: the timers were due before all were set." }
        onSet()
        val run = scope.launch { timers.run() }
        val nanos = end.await() - dueNanos
        run.cancelAndJoin()
        check(timers.count(Jobs) == filled) { "signalbox: timers were left." }
        return nanos
    }

    override suspend fun lag(
        perSecond: Int,
        seconds: Int,
    ): Histogram {
        val lags = lagHistogram()
        val count = perSecond * seconds
        val left = AtomicInteger(count)
        val end = CompletableDeferred<Unit>()
        onHandled.set { due ->
            // The server is on this machine, so its clock is this one.
            lags.recordValue(maxOf(0, nowMicros() - due.toEpochMilli() * 1000))
            if (left.decrementAndGet() == 0) end.complete(Unit)
        }
        val run = scope.launch { timers.run() }
        steadily(perSecond, seconds) { timers.schedule(Jobs, "job-$it", PAYLOAD, after = LAG_AHEAD_MILLIS.milliseconds) }
        end.await()
        run.cancelAndJoin()
        return lags
    }

    override fun close() {
        scope.cancel()
        client.close()
    }
}

/** A small job: what a handler needs to look something up. */
internal const val PAYLOAD = "{\"order\":1234567,\"action\":\"remind\",\"locale\":\"en\"}"

internal fun nowMicros(): Long = Instant.now().let { it.epochSecond * 1_000_000 + it.nano / 1000 }
