package io.signalbox.benchmarks.timers

import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.Summary
import io.signalbox.testkit.RedisServer
import java.util.Locale
import kotlinx.coroutines.runBlocking

/** The timers alone, for whoever works on them: rounds, and `idle` for the idle workers as well. */
public fun main(arguments: Array<String>) {
    val rounds = arguments.firstOrNull()?.toIntOrNull() ?: 3
    RedisServer.start {}.use { server ->
        runBlocking {
            val contenders =
                listOf(SignalboxTimerContender(server.uri), SignalboxTimerContender(server.uri, 64), RedissonTimerContender(server.uri))
            timerRounds(contenders, rounds, ::timersOf).forEach { println(line(it)) }
            contenders.forEach { it.close() }
            if ("idle" in arguments) {
                Statistics(server.uri).use { statistics ->
                    for (workers in listOf(1, 32)) {
                        val cost = idleCost(server.uri, statistics, workers)
                        println(
                            "%2d workers: %.2f commands/s each, %.2f per timer"
                                .format(Locale.ROOT, workers, cost.commandsPerSecondEach, cost.commandsPerTimer),
                        )
                    }
                }
            }
        }
    }
}

/** Enough for a second or so. */
internal fun timersOf(contender: TimerContender): Int = if (contender is SignalboxTimerContender) 60_000 else 15_000

private fun line(rounds: TimerRounds): String {
    fun text(values: List<Double>) = Summary.of(values).run { "%,.0f (%,.0f to %,.0f)".format(Locale.ROOT, median, low, high) }
    return "${rounds.title}: schedule ${text(rounds.schedule)}/s, drain ${text(rounds.drain)}/s, lag p50 ${text(rounds.lagP50)} us, p99 " +
        "${text(rounds.lagP99)} us"
}
