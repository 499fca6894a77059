package io.signalbox.benchmarks.timers

import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.Summary
import java.util.Locale

private const val COROUTINES = 1000
private const val EACH = 60_000

/**
 * What setting, draining and cancelling give with few and with many timers pending beside, and what one of those takes of the
 * server's memory.
 */
internal suspend fun pendingTimers(
    uri: String,
    rounds: Int,
    statistics: Statistics,
) {
    SignalboxTimerContender(uri).use { contender ->
        contender.scheduleAndCancel(EACH, COROUTINES)
        contender.drain(EACH)
        var pending = 0
        for (count in listOf(10_000, 1_000_000)) {
            val before = memory(statistics)
            contender.fill(pending until count)
            val bytes = (memory(statistics) - before).toDouble() / (count - pending)
            pending = count
            val schedule = ArrayList<Double>()
            val cancel = ArrayList<Double>()
            val drain = ArrayList<Double>()
            repeat(rounds) {
                val (set, cancelled) = contender.scheduleAndCancel(EACH, COROUTINES)
                schedule += EACH / (set / 1e9)
                cancel += EACH / (cancelled / 1e9)
                drain += EACH / (contender.drain(EACH) / 1e9)
            }
            fun text(values: List<Double>) = Summary.of(values).run { "%,.0f (%,.0f to %,.0f)/s".format(Locale.ROOT, median, low, high) }
            println(
                "%,d pending: schedule %s, cancel %s, drain %s; %.0f bytes each".format(
                    Locale.ROOT,
                    count,
                    text(schedule),
                    text(cancel),
                    text(drain),
                    bytes,
                ),
            )
        }
    }
}

private fun memory(statistics: Statistics): Long = statistics.info("memory", "used_memory")!!.toLong()
