package io.signalbox.benchmarks.timers

import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.HdrHistogram.ConcurrentHistogram
import org.HdrHistogram.Histogram

/** [coroutines] coroutines that call [each] with the numbers below [count], one after the other; returns nanoseconds. */
internal suspend fun closedLoop(
    count: Int,
    coroutines: Int,
    each: suspend (Int) -> Unit,
): Long {
    val next = AtomicInteger()
    val begun = System.nanoTime()
    withContext(Dispatchers.Default) {
        coroutineScope {
            repeat(coroutines) {
                launch {
                    while (true) {
                        val number = next.getAndIncrement()
                        if (number >= count) break
                        each(number)
                    }
                }
            }
        }
    }
    return System.nanoTime() - begun
}

/** Calls [each] [perSecond] times a second, in steps of 10 ms. */
internal suspend fun steadily(
    perSecond: Int,
    seconds: Int,
    each: suspend (Int) -> Unit,
) {
    val begun = System.nanoTime()
    var number = 0
    val steps = seconds * 100
    coroutineScope {
        for (step in 1..steps) {
            while (number < perSecond.toLong() * step / 100) {
                val mine = number++
                launch { each(mine) }
            }
            val wait = begun + TimeUnit.MILLISECONDS.toNanos(10L * step) - System.nanoTime()
            if (wait > 0) delay(wait.nanoseconds)
        }
    }
}

internal fun lagHistogram(): Histogram = ConcurrentHistogram(TimeUnit.MINUTES.toMicros(10), 3)

/** How long timers of the drain are set ahead, so that all are there before the first is due. */
internal fun aheadMillis(count: Int): Long = 1_500L + count / 15

/** How long timers of the lag are set ahead. */
internal const val LAG_AHEAD_MILLIS = 300L
