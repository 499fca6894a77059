package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Form
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
 * [coroutines] closed loops of acquire and release in a [form], without a hold unless one is given. What is timed is the acquire: from the
 * call to its return, or to the first line of the block.
 *
 * Checked: never more holders than [permits], which says most of rounds with a hold; in each coroutine tokens rise; and the grants counted
 * on the server equal the pairs that the clients report.
 */
internal class ClosedLoop(
    private val title: String,
    private val contender: Contender,
    private val coroutines: Int,
    private val permits: Int,
    private val form: Form = Form.RELEASE,
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
        return timed(hold) { _, now -> now < end }
    }

    /** Every coroutine does [pairs] pairs. */
    suspend fun runPairs(
        pairs: Int,
        hold: (suspend () -> Unit)? = null,
    ): Round = timed(hold) { done, _ -> done < pairs }

    private suspend fun timed(
        hold: (suspend () -> Unit)?,
        goesOn: (done: Int, now: Long) -> Boolean,
    ): Round {
        val grantedBefore = contender.granted()
        val samples = List(coroutines) { Sample() }
        val start = System.nanoTime()
        run(samples, hold, goesOn)
        val seconds = (System.nanoTime() - start) / 1e9
        contender.settle()
        val granted = contender.granted()?.minus(checkNotNull(grantedBefore))
        val histogram = latencies()
        samples.forEach { sample -> sample.forEach { histogram.recordValue(it) } }
        val pairs = histogram.totalCount
        if (granted != null) checkGrants(title, granted, pairs)
        return Round(pairs / seconds, histogram)
    }

    /** A coroutine for each of [notes]; returns when all have ended. */
    suspend fun run(
        notes: List<Notes>,
        hold: (suspend () -> Unit)?,
        goesOn: (done: Int, now: Long) -> Boolean,
    ) {
        withContext(Dispatchers.Default) {
            unlessStalled(title, contender, done::sum) {
                coroutineScope { notes.forEach { launch(contender.dispatcher) { Loop(it, hold).run(goesOn) } } }
            }
        }
        if (most.get() > permits) throw CheckFailure("$title: ${most.get()} held at once, though there are $permits permits.")
    }

    private inner class Loop(
        private val notes: Notes,
        private val hold: (suspend () -> Unit)?,
    ) {
        private var called = 0L
        private var token = 0L
        private val block: suspend (Any) -> Unit = { hold(it) }

        suspend fun run(goesOn: (done: Int, now: Long) -> Boolean) {
            var own = 0
            called = System.nanoTime()
            while (goesOn(own, called)) {
                if (form == Form.BLOCK) {
                    contender.withPermit(block)
                } else {
                    val grant = contender.acquire()
                    hold(grant)
                    contender.release(grant)
                }
                called = System.nanoTime()
                notes.ended(called)
                own++
                done.increment()
            }
        }

        private suspend fun hold(grant: Any) {
            val granted = System.nanoTime()
            val before = token
            token = contender.tokenOf(grant)
            if (token != 0L && token <= before) throw CheckFailure("$title: token $token was granted after $before.")
            val now = holders.incrementAndGet()
            if (now > permits) most.accumulateAndGet(now, ::maxOf)
            if (hold != null) hold.invoke()
            holders.decrementAndGet()
            notes.held(called, granted, if (hold == null) granted else System.nanoTime(), token)
        }
    }
}

internal fun checkGrants(
    title: String,
    granted: Long,
    pairs: Long,
) {
    if (granted != pairs) throw CheckFailure("$title: the server granted $granted, the clients report $pairs.")
}

/** From a microsecond to a minute would do; three digits. Grows by itself. */
internal fun latencies(): Histogram = Histogram(3)
