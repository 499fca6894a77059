package io.signalbox.benchmarks.timers

import org.HdrHistogram.Histogram

/** A store of timers with one worker, to be run beside others. */
internal interface TimerContender : AutoCloseable {
    val title: String

    /** Sets [count] timers that are not due, as fast as [coroutines] can with each call awaited; returns nanoseconds. Then removes them. */
    suspend fun schedule(
        count: Int,
        coroutines: Int,
    ): Long

    /** Sets [count] timers that are due at one moment, then takes them all; returns nanoseconds from that moment to the last. */
    suspend fun drain(count: Int): Long

    /**
     * Sets [perSecond] timers a second for [seconds], each due some hundreds of milliseconds later; returns how late they
     * came, in microseconds.
     */
    suspend fun lag(
        perSecond: Int,
        seconds: Int,
    ): Histogram
}
