package io.signalbox.benchmarks.measure

import kotlinx.serialization.Serializable

/** Median and range of several rounds. */
@Serializable
internal class Summary(
    val median: Double,
    val low: Double,
    val high: Double,
) {
    companion object {
        fun of(values: List<Double>): Summary {
            require(values.isNotEmpty()) { "No rounds were measured." }
            val sorted = values.sorted()
            val middle = sorted.size / 2
            val median = if (sorted.size % 2 == 1) sorted[middle] else (sorted[middle - 1] + sorted[middle]) / 2
            return Summary(median, sorted.first(), sorted.last())
        }

        /** Of the ratios of rounds that were run one after the other, so that a slow moment of the machine meets both. */
        fun ofRatios(
            values: List<Double>,
            peers: List<Double>,
        ): Summary = of(values.zip(peers) { value, peer -> value / peer })
    }
}
