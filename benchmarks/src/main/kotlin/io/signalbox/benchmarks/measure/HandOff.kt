package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Contender
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.HdrHistogram.Histogram

/**
 * Ping-pong with one permit between two clients. Half a ping-pong is measured at a time: from the call of release at the one that
 * holds it to the grant at the other, which was seen waiting on the server before; then nothing was said for a moment.
 *
 * Checked: the grants counted on the server, if one can tell, equal the hand-offs.
 */
internal class HandOff(
    private val title: String,
    private val first: Contender,
    private val second: Contender,
) {
    suspend fun runFor(duration: Duration): Histogram {
        val end = System.nanoTime() + duration.inWholeNanoseconds
        return run { System.nanoTime() < end }
    }

    suspend fun runTimes(handOffs: Int): Histogram = run { it < handOffs }

    private suspend fun run(goesOn: (done: Long) -> Boolean): Histogram {
        val histogram = latencies()
        return withContext(Dispatchers.Default) {
            unlessStalled(title, first, histogram::getTotalCount) { run(histogram, goesOn) }
        }
    }

    private suspend fun run(
        histogram: Histogram,
        goesOn: (done: Long) -> Boolean,
    ): Histogram {
        val grantedBefore = first.granted()
        var holder = first
        var other = second
        var grant = holder.acquire()
        while (goesOn(histogram.totalCount)) {
            val (next, nanos) = handOver(holder, grant, other)
            histogram.recordValue(nanos)
            grant = next
            holder = other.also { other = holder }
        }
        holder.release(grant)
        val granted = first.granted()?.minus(checkNotNull(grantedBefore))
        if (granted != null && granted != histogram.totalCount + 1) {
            throw CheckFailure("$title: the server granted $granted, the clients report ${histogram.totalCount + 1}.")
        }
        return histogram
    }

    private suspend fun handOver(
        from: Contender,
        grant: Any,
        to: Contender,
    ): Pair<Any, Long> =
        coroutineScope {
            val waiting = async(start = CoroutineStart.UNDISPATCHED) { to.acquire() to System.nanoTime() }
            while (!from.isAwaited()) if (waiting.isCompleted) throw CheckFailure("$title: granted to two at once.")
            delay(SILENCE)
            val start = System.nanoTime()
            launch(start = CoroutineStart.UNDISPATCHED) { from.release(grant) }
            val (next, grantedAt) = waiting.await()
            next to grantedAt - start
        }

    private companion object {
        /** So that no peer is measured while the answer to having been looked at is still on its way through its threads. */
        val SILENCE = 2.milliseconds
    }
}
