package io.signalbox.benchmarks.report

import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.WaitingCost
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** Everything one run found. */
@Serializable
internal class Report(
    val machine: Machine,
    val rounds: Int,
    val secondsPerRound: Double,
    val figures: List<FigureLine>,
    val rows: List<Row>,
    val waiting: List<WaitingCost>,
) {
    fun json(): String = JSON.encodeToString(serializer(), this)

    companion object {
        private val JSON =
            Json {
                prettyPrint = true
                encodeDefaults = true
            }

        fun read(text: String): Report = JSON.decodeFromString(serializer(), text)
    }
}
