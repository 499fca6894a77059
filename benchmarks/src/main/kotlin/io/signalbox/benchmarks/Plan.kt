package io.signalbox.benchmarks

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** How much to measure. */
internal class Plan(
    val rounds: Int = 5,
    val round: Duration = 800.milliseconds,
    val waitingCoroutines: Int = 100_000,
    val waitingWindow: Duration = 30.seconds,
)
