package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.measure.Round
import io.signalbox.benchmarks.measure.Summary

/** How many times as many pairs per second, round by round. */
internal fun Map<Entry, List<Round>>.speed(
    of: Entry,
    beside: Entry,
): Summary = Summary.ofRatios(getValue(of).map { it.pairsPerSecond }, getValue(beside).map { it.pairsPerSecond })

/** How many times as long an acquire takes at that percentile, round by round. */
internal fun Map<Entry, List<Round>>.wait(
    percentile: Double,
    of: Entry,
    beside: Entry,
): Summary = Summary.ofRatios(waits(percentile, of), waits(percentile, beside))

/** Nanoseconds of an acquire at that percentile, by rounds. */
internal fun Map<Entry, List<Round>>.waits(
    percentile: Double,
    of: Entry,
): List<Double> = getValue(of).map { it.acquire.getValueAtPercentile(percentile).toDouble() }
