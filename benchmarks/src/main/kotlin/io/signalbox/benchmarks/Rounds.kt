package io.signalbox.benchmarks

import java.util.concurrent.atomic.AtomicLong
import kotlin.time.Duration
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What a contender did in one round. */
internal class Round(
    val pairsPerSecond: Double,
)

/** Median and range of several rounds. */
internal class Summary(
    values: List<Double>,
) {
    private val sorted = values.sorted()
    val median: Double get() = sorted[sorted.size / 2]
    val low: Double get() = sorted.first()
    val high: Double get() = sorted.last()
}

/** Runs [coroutines] closed loops of [contender] for [duration]; the grants counted on the server must equal the pairs. */
internal suspend fun round(
    contender: Contender,
    coroutines: Int,
    duration: Duration,
): Round {
    val before = contender.granted()
    val pairs = AtomicLong()
    val start = TimeSource.Monotonic.markNow()
    withContext(Dispatchers.Default) {
        coroutineScope {
            repeat(coroutines) {
                launch {
                    var own = 0L
                    while (start.elapsedNow() < duration) {
                        contender.pair()
                        own++
                    }
                    pairs.addAndGet(own)
                }
            }
        }
    }
    val seconds = start.elapsedNow().inWholeMicroseconds / 1e6
    val granted = contender.granted() - before
    check(granted == pairs.get()) { "${contender.name}: the server granted $granted, the clients report ${pairs.get()}." }
    return Round(pairs.get() / seconds)
}

/** Interleaved rounds of all [contenders], the first ones to warm up; the order turns with every round. */
internal suspend fun compare(
    contenders: List<Contender>,
    coroutines: Int,
    rounds: Int,
    duration: Duration,
): Map<Contender, Summary> {
    contenders.forEach { round(it, coroutines, duration) }
    val results = contenders.associateWith { mutableListOf<Double>() }
    repeat(rounds) { index ->
        val order = if (index % 2 == 0) contenders else contenders.reversed()
        order.forEach { results.getValue(it) += round(it, coroutines, duration).pairsPerSecond }
    }
    return results.mapValues { Summary(it.value) }
}
