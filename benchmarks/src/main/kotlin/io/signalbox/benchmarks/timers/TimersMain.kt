package io.signalbox.benchmarks.timers

import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.Summary
import io.signalbox.testkit.RedisServer
import java.lang.management.ManagementFactory
import java.util.Locale
import kotlinx.coroutines.runBlocking

/**
 * The timers alone, for whoever works on them: rounds, with `bullmq` or `idle` these as well; or only drains with `drain`, or with
 * many pending with `pending`.
 */
public fun main(arguments: Array<String>) {
    val rounds = arguments.firstOrNull()?.toIntOrNull() ?: 3
    RedisServer.start {}.use { server ->
        runBlocking {
            if ("drain" in arguments) return@runBlocking drains(server.uri, rounds)
            if ("pending" in arguments) {
                return@runBlocking Statistics(server.uri).use { pendingTimers(server.uri, rounds, it) }
            }
            val contenders =
                listOf(SignalboxTimerContender(server.uri), SignalboxTimerContender(server.uri, 64), RedissonTimerContender(server.uri))
            timerRounds(contenders, rounds, ::timersOf).forEach { println(lineOf(it)) }
            contenders.forEach { it.close() }
            if ("bullmq" in arguments) println(bullMq(server.uri, rounds) ?: "BullMQ is not installed: see benchmarks/bullmq")
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

/** What a drained timer costs, on either side. */
private suspend fun drains(
    uri: String,
    rounds: Int,
) {
    val process = ManagementFactory.getOperatingSystemMXBean() as com.sun.management.OperatingSystemMXBean
    Statistics(uri).use { statistics ->
        SignalboxTimerContender(uri).use { contender ->
            val count = timersOf(contender)
            repeat(rounds) {
                var before = Scripts(0, 0, 0)
                var client = 0L
                val nanos =
                    contender.drain(count) {
                        before = scripts(statistics)
                        client = process.processCpuTime
                    }
                val after = scripts(statistics)
                println(
                    "drain %,.0f/s; per timer %.1f us of scripts (%.1f of commands), %.1f us of client CPU; %.0f timers a turn".format(
                        Locale.ROOT,
                        count / (nanos / 1e9),
                        (after.micros - before.micros).toDouble() / count,
                        (after.commands - before.commands).toDouble() / count,
                        (process.processCpuTime - client) / 1e3 / count,
                        count.toDouble() / (after.calls - before.calls),
                    ),
                )
            }
        }
    }
}

/** Calls and microseconds of scripts, and microseconds of the commands in them: the rest is Lua, and what passes between it and them. */
private class Scripts(
    val calls: Long,
    val micros: Long,
    val commands: Long,
)

private fun scripts(statistics: Statistics): Scripts {
    val all =
        Regex("cmdstat_([a-z]+):calls=(\\d+),usec=(\\d+)").findAll(statistics.commands.info("commandstats")).associate {
            val (name, calls, micros) = it.destructured
            name to Pair(calls.toLong(), micros.toLong())
        }
    val (calls, micros) = all.getValue("evalsha")
    return Scripts(calls, micros, all.filterKeys { it.startsWith("z") || it.startsWith("h") }.values.sumOf { it.second })
}

/** Enough for a second or so. */
internal fun timersOf(contender: TimerContender): Int = if (contender is SignalboxTimerContender) 60_000 else 15_000

/** What one contender did, in medians and ranges. */
internal fun lineOf(rounds: TimerRounds): String {
    fun text(values: List<Double>) = Summary.of(values).run { "%,.0f (%,.0f to %,.0f)".format(Locale.ROOT, median, low, high) }
    return "${rounds.title}: schedule ${text(rounds.schedule)}/s, drain ${text(rounds.drain)}/s, lag p50 ${text(rounds.lagP50)} us, p99 " +
        "${text(rounds.lagP99)} us"
}
