package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Contender
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.LongAdder
import kotlin.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.HdrHistogram.Histogram

/** What a contender did in one round: how much, and how long its acquires took, in nanoseconds. */
internal class Round(
    val pairsPerSecond: Double,
    val acquire: Histogram,
)

/** A result that cannot be right: the figures of such a run are worth nothing. */
internal class CheckFailure(
    message: String,
) : IllegalStateException(message)

/**
 * [coroutines] closed loops of acquire and release, without a hold unless one is given.
 *
 * Checked: never more holders than [permits], which says most of rounds with a hold, and the grants counted on the server equal the pairs that the clients report.
 */
internal class ClosedLoop(
    private val title: String,
    private val contender: Contender,
    private val coroutines: Int,
    private val permits: Int,
) {
    private val holders = AtomicInteger()
    private val most = AtomicInteger()
    private val done = LongAdder()

    /** Every coroutine goes on until [duration] has passed. */
    suspend fun runFor(
        duration: Duration,
        hold: (suspend () -> Unit)? = null,
    ): Round {
        val end = System.nanoTime() + duration.inWholeNanoseconds
        return run(hold) { System.nanoTime() < end }
    }

    /** Every coroutine does [pairs] pairs. */
    suspend fun runPairs(
        pairs: Int,
        hold: (suspend () -> Unit)? = null,
    ): Round = run(hold) { it < pairs }

    private suspend fun run(
        hold: (suspend () -> Unit)?,
        goesOn: (done: Int) -> Boolean,
    ): Round {
        val grantedBefore = contender.granted()
        val samples = List(coroutines) { Sample() }
        val start = System.nanoTime()
        withContext(Dispatchers.Default) {
            unlessStalled(title, contender, done::sum) {
                coroutineScope { samples.forEach { sample -> launch(contender.dispatcher) { loop(sample, hold, goesOn) } } }
            }
        }
        val seconds = (System.nanoTime() - start) / 1e9
        val granted = contender.granted()?.minus(checkNotNull(grantedBefore))
        val histogram = latencies()
        samples.forEach { sample -> sample.forEach { histogram.recordValue(it) } }
        val pairs = histogram.totalCount
        if (granted != null && granted != pairs) throw CheckFailure("$title: the server granted $granted, the clients report $pairs.")
        if (most.get() > permits) throw CheckFailure("$title: ${most.get()} held at once, though there are $permits permits.")
        return Round(pairs / seconds, histogram)
    }

    private suspend fun loop(
        sample: Sample,
        hold: (suspend () -> Unit)?,
        goesOn: (done: Int) -> Boolean,
    ) {
        var own = 0
        while (goesOn(own)) {
            val start = System.nanoTime()
            val grant = contender.acquire()
            sample.add(System.nanoTime() - start)
            val now = holders.incrementAndGet()
            if (now > permits) most.accumulateAndGet(now, ::maxOf)
            if (hold != null) hold()
            holders.decrementAndGet()
            contender.release(grant)
            own++
            done.increment()
        }
    }
}

/** From a microsecond to a minute would do; three digits. Grows by itself. */
internal fun latencies(): Histogram = Histogram(3)
