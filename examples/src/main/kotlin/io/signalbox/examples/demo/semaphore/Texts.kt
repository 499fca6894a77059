package io.signalbox.examples.demo.semaphore

import java.util.Locale
import kotlin.time.Duration
import kotlin.time.DurationUnit

/** As in `2.57 s`. */
internal fun Duration.inSeconds(decimals: Int = 2): String = "%.${decimals}f s".format(Locale.ROOT, toDouble(DurationUnit.SECONDS))

internal fun introduction(plan: Plan): String {
    val permits = if (plan.permits == 1) "1 permit" else "${plan.permits} permits"
    return "signalbox demo: ${plan.processes} processes compete for $permits, lease ${plan.lease.inSeconds(0)}"
}

/** One finding as columns: mark, promise, facts. */
internal fun Finding.columns(): Triple<String, String, String> = Triple(
    if (kept) "kept  " else "BROKEN",
    promise.padEnd(PROMISE_WIDTH),
    facts,
)

private const val PROMISE_WIDTH = 21
