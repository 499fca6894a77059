package io.signalbox.benchmarks.report

import io.signalbox.benchmarks.contender.Peer
import java.nio.file.Path
import kotlin.io.path.createDirectories
import org.knowm.xchart.CategoryChart
import org.knowm.xchart.CategoryChartBuilder
import org.knowm.xchart.ChartEncoder
import org.knowm.xchart.style.Styler.LegendPosition

/** The main comparison as bar charts, in SVG. */
internal class Plots(
    private val report: Report,
    private val directory: Path,
) {
    fun write(): List<Path> {
        System.setProperty("java.awt.headless", "true")
        directory.createDirectories()
        return listOfNotNull(
            throughput("uncontended", "Acquire and release, as many permits as coroutines"),
            throughput("contended", "Acquire and release, 8 permits"),
            percentiles("contended", "Acquire with 8 permits and many coroutines: percentiles"),
            percentiles(Row.HAND_OFF, "Hand-off between two clients: percentiles"),
        )
    }

    private fun throughput(
        scenario: String,
        title: String,
    ): Path? {
        val rows = report.rows.filter { it.scenario == scenario && it.peer !in LOCAL }
        val loads = rows.map { it.coroutines }.distinct().sorted()
        return draw(rows, "$scenario-throughput", title, "coroutines", "pairs/s", loads.map { "$it" }) { own ->
            loads.map { load -> own.firstOrNull { it.coroutines == load }?.pairsPerSecond?.median }
        }
    }

    /** Of each peer under its largest load. */
    private fun percentiles(
        scenario: String,
        title: String,
    ): Path? {
        val rows = report.rows.filter { it.scenario == scenario && it.peer !in LOCAL }.groupBy { it.peer }.map { (_, own) -> own.maxBy { it.coroutines } }
        return draw(rows, "$scenario-latency", title, "percentile", "microseconds", listOf("p50", "p99", "p99.9")) { own ->
            own.single().let { listOf(it.p50.median, it.p99.median, it.p999.median) }
        }
    }

    /** Logarithmic: what is compared are ratios, over three orders of magnitude. */
    private fun draw(
        rows: List<Row>,
        file: String,
        title: String,
        x: String,
        y: String,
        categories: List<String>,
        values: (List<Row>) -> List<Double?>,
    ): Path? {
        if (rows.isEmpty()) return null
        val chart: CategoryChart =
            CategoryChartBuilder()
                .width(900)
                .height(480)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build()
        chart.styler.apply {
            isYAxisLogarithmic = true
            legendPosition = LegendPosition.OutsideS
            setPlotGridVerticalLinesVisible(false)
            availableSpaceFill = 0.8
        }
        rows.groupBy { it.peer }.forEach { (peer, own) -> chart.addSeries(peer, categories, values(own)) }
        val path = directory.resolve("$file.svg")
        ChartEncoder.saveChart(chart, "$path", "svg")
        return path
    }

    private companion object {
        /** Needs no server: it would dwarf the rest. */
        val LOCAL = setOf(Peer.LOCAL.title)
    }
}
