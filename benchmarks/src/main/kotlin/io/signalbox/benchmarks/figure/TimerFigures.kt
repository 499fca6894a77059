package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.measure.Summary

/** One worker process: setting, taking what is due at one moment, and how late timers come. */
internal suspend fun timers(bench: Bench): List<FigureLine> {
    val (own, redisson) = bench.timers()
    bench.bullMq()
    return listOf(
        FigureLine.atLeast("P6", "timers_schedule_vs_redisson", Summary.ofRatios(own.schedule, redisson.schedule), 8.0),
        FigureLine.atLeast("P6", "timers_drain_vs_redisson", Summary.ofRatios(own.drain, redisson.drain), 12.0),
        FigureLine.atMost("P6", "timers_lag_p99_vs_redisson", Summary.ofRatios(own.lagP99, redisson.lagP99), 1.0),
    )
}

/** Workers that have nothing to do. */
internal suspend fun idleWorkers(bench: Bench): List<FigureLine> {
    val (one, many) = bench.idleWorkers()
    val each = many.commandsPerSecondEach
    val ratio = many.commandsPerTimer / one.commandsPerTimer
    return listOf(
        FigureLine.atMost("P7", "timers_idle_commands_per_second", Summary(each, each, each), 0.5),
        FigureLine.atMost("P7", "timers_commands_per_timer_32_vs_1", Summary(ratio, ratio, ratio), 1.1),
    )
}
