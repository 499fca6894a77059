package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Signals
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull
import org.HdrHistogram.Histogram

/**
 * [coroutines] closed loops that set once and await once, whoever's signal it is. Checked: each await ends, and no signal is left.
 */
internal class SignalLoop(
    private val title: String,
    private val signals: Signals,
    private val coroutines: Int,
) {
    /** How long the pairs took, in nanoseconds. */
    suspend fun runPairs(pairsEach: Int): Histogram {
        val samples = List(coroutines) { Sample() }
        withContext(Dispatchers.Default) {
            withTimeoutOrNull(LIMIT) {
                coroutineScope { samples.forEach { sample -> launch { loop(sample, pairsEach) } } }
            } ?: throw CheckFailure("$title: signals set and not delivered after $LIMIT.")
        }
        if (signals.isSet()) throw CheckFailure("$title: as many awaits as sets have ended, and a signal is left.")
        return latencies().apply { samples.forEach { sample -> sample.forEach { recordValue(it) } } }
    }

    private suspend fun loop(
        sample: Sample,
        pairs: Int,
    ) = repeat(pairs) {
        val start = System.nanoTime()
        signals.set()
        signals.await()
        sample.add(System.nanoTime() - start)
    }

    private companion object {
        val LIMIT = 60.seconds
    }
}
