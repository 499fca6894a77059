package io.signalbox.benchmarks.report

import io.signalbox.benchmarks.contender.Peer
import java.awt.Color
import java.nio.file.Path
import kotlin.io.path.createDirectories
import kotlin.math.floor
import kotlin.math.log10
import kotlin.math.pow
import org.knowm.xchart.CategoryChartBuilder
import org.knowm.xchart.ChartEncoder
import org.knowm.xchart.XYChartBuilder
import org.knowm.xchart.internal.chartpart.IChart
import org.knowm.xchart.style.AxesChartStyler
import org.knowm.xchart.style.Styler.LegendLayout
import org.knowm.xchart.style.Styler.LegendPosition

/** The main comparison as bar charts, as PNG: a tenth of the size of an SVG with fonts in it. */
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
            percentiles("contended", "Latency of an acquire, 8 permits"),
            percentiles(Row.HAND_OFF, "Hand-off of one permit between two clients"),
        )
    }

    private fun throughput(
        scenario: String,
        title: String,
    ): Path? {
        val rows = report.rows.filter { it.scenario == scenario && it.peer !in LOCAL }
        val chart =
            XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("coroutines")
                .yAxisTitle("pairs/s")
                .build()
        chart.styler.isXAxisLogarithmic = true
        style(chart.styler, rows.mapNotNull { it.pairsPerSecond?.low })
        rows.groupBy { it.peer }.forEach { (peer, own) ->
            val loads = own.sortedBy { it.coroutines }
            chart.addSeries(peer, loads.map { it.coroutines }, loads.map { it.pairsPerSecond!!.median })
        }
        return save(chart, rows, "$scenario-throughput")
    }

    /** Under the largest load that all peers were measured under: latency grows with the number of those who wait. */
    private fun percentiles(
        scenario: String,
        title: String,
    ): Path? {
        // C1 measures the hand-off once more, beside a cluster.
        val all = report.rows.filter { it.scenario == scenario && it.peer !in LOCAL }.distinctBy { it.peer to it.coroutines }
        val peers = all.map { it.peer }.distinct()
        val load = all.groupBy { it.coroutines }.filterValues { it.size == peers.size }.keys.maxOrNull() ?: return null
        val rows = all.filter { it.coroutines == load }
        val chart =
            CategoryChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title("$title, $load coroutines")
                .xAxisTitle("percentile")
                .yAxisTitle("microseconds")
                .build()
        style(chart.styler, rows.map { it.p50.low })
        rows.forEach { chart.addSeries(it.peer, listOf("p50", "p99", "p99.9"), listOf(it.p50.median, it.p99.median, it.p999.median)) }
        return save(chart, rows, "$scenario-latency")
    }

    /** Logarithmic: what is compared are ratios, over three orders of magnitude. */
    private fun style(
        styler: AxesChartStyler,
        values: List<Double>,
    ) {
        styler.isYAxisLogarithmic = true
        styler.chartBackgroundColor = Color.WHITE
        styler.legendLayout = LegendLayout.Horizontal
        values.minOrNull()?.let { styler.yAxisMin = 10.0.pow(floor(log10(it))) }
        styler.legendPosition = LegendPosition.OutsideS
        styler.setPlotGridVerticalLinesVisible(false)
    }

    private fun save(
        chart: IChart,
        rows: List<Row>,
        file: String,
    ): Path? {
        if (rows.isEmpty()) return null
        val path = directory.resolve("$file.png")
        ChartEncoder.saveChart(chart, "$path", "png")
        return path
    }

    private companion object {
        const val WIDTH = 900
        const val HEIGHT = 480

        /** Needs no server: it would dwarf the rest. */
        val LOCAL = setOf(Peer.LOCAL.title())
    }
}
