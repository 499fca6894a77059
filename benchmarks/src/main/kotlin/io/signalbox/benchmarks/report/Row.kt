package io.signalbox.benchmarks.report

import io.signalbox.benchmarks.Entry
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.measure.Round
import io.signalbox.benchmarks.measure.Summary
import kotlinx.serialization.Serializable
import org.HdrHistogram.Histogram

/** One peer under one load. Latencies in microseconds: of an acquire up to its return or to the first line of its block, or of a hand-off. */
@Serializable
internal class Row(
    val scenario: String,
    val peer: String,
    val coroutines: Int,
    val permits: Int,
    val pairsPerSecond: Summary?,
    val p50: Summary,
    val p99: Summary,
    val p999: Summary,
) {
    companion object {
        const val HAND_OFF = "hand-off"

        fun ofLoop(
            scenario: String,
            entry: Entry,
            rounds: List<Round>,
        ): Row {
            val latencies = rounds.map { it.acquire }
            val speed = Summary.of(rounds.map { it.pairsPerSecond })
            return Row(
                scenario,
                entry.title,
                entry.coroutines,
                entry.permits,
                speed,
                micros(latencies, 50.0),
                micros(latencies, 99.0),
                micros(latencies, 99.9),
            )
        }

        fun ofHandOff(
            peer: Peer,
            rounds: List<Histogram>,
        ) = Row(HAND_OFF, peer.title(), 2, 1, null, micros(rounds, 50.0), micros(rounds, 99.0), micros(rounds, 99.9))

        private fun micros(
            rounds: List<Histogram>,
            percentile: Double,
        ) = Summary.of(rounds.map { it.getValueAtPercentile(percentile) / 1e3 })
    }
}
