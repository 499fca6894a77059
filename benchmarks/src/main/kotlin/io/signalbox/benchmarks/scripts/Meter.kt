package io.signalbox.benchmarks.scripts

import io.signalbox.benchmarks.contender.Spent
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.measure.CheckFailure

/** Every exchange of a semaphore is one call of this command. What its script is called, and does, is not known here. */
private const val COMMAND = "evalsha"

/** Reads what scripts have cost the server, by `INFO commandstats`, before and after. */
internal class Meter(
    private val statistics: Statistics,
) {
    /** What the scripts cost that run during [block], which leaves the server to itself at its beginning and end. */
    suspend fun spentIn(block: suspend () -> Unit): Spent {
        val before = statistics.spent(COMMAND)
        block()
        val after = statistics.spent(COMMAND)
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
