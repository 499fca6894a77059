package io.signalbox.benchmarks.timers

import io.signalbox.benchmarks.measure.interleaved

/** What one contender did: timers per second, and microseconds. One entry a round. */
internal class TimerRounds(
    val title: String,
    val schedule: List<Double>,
    val drain: List<Double>,
    val lagP50: List<Double>,
    val lagP99: List<Double>,
)

private class TimerRound(
    val schedule: Double,
    val drain: Double,
    val lagP50: Double,
    val lagP99: Double,
)

/** Rounds of all [contenders], in turn. */
internal suspend fun timerRounds(
    contenders: List<TimerContender>,
    rounds: Int,
    count: (TimerContender) -> Int,
): List<TimerRounds> {
    val measured =
        interleaved(contenders, rounds, { it.round(count(it), lagSeconds = 1) }) { it.round(count(it), lagSeconds = 3) }
    return contenders.map { contender ->
        val of = measured.getValue(contender)
        TimerRounds(contender.title, of.map { it.schedule }, of.map { it.drain }, of.map { it.lagP50 }, of.map { it.lagP99 })
    }
}

private suspend fun TimerContender.round(
    count: Int,
    lagSeconds: Int,
): TimerRound {
    val schedule = count / (schedule(count, COROUTINES) / 1e9)
    val drain = count / (drain(count) / 1e9)
    val lag = lag(PER_SECOND, lagSeconds)
    return TimerRound(schedule, drain, lag.getValueAtPercentile(50.0).toDouble(), lag.getValueAtPercentile(99.0).toDouble())
}

private const val COROUTINES = 1000
private const val PER_SECOND = 1000
