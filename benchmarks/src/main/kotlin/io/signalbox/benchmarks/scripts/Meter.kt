package io.signalbox.benchmarks.scripts

import io.signalbox.benchmarks.contender.EXCHANGE_COMMAND
import io.signalbox.benchmarks.contender.Spent
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.CheckFailure

/** Reads what exchanges have cost the server, by `INFO commandstats`, before and after. */
internal class Meter(
    private val statistics: Statistics,
) {
    private val command = EXCHANGE_COMMAND.lowercase()

    /** What the scripts cost that run during [block], which leaves the server to itself at its beginning and end. */
    suspend fun spentIn(block: suspend () -> Unit): Spent {
        val before = statistics.spent(command)
        block()
        val after = statistics.spent(command)
        return Spent(after.calls - before.calls, after.micros - before.micros)
    }

    /** [spentIn] of a block that is known to call so many scripts. */
    suspend fun microsOf(
        kind: String,
        calls: Int,
        block: suspend () -> Unit,
    ): Double {
        val spent = spentIn(block)
        if (spent.calls != calls.toLong()) throw CheckFailure("$kind: ${spent.calls} scripts were called, not $calls.")
        return spent.micros.toDouble()
    }
}
