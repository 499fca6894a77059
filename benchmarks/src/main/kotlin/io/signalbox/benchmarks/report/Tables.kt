package io.signalbox.benchmarks.report

import com.github.ajalt.mordant.rendering.TextAlign
import com.github.ajalt.mordant.table.Borders
import com.github.ajalt.mordant.table.table
import com.github.ajalt.mordant.terminal.Terminal
import io.signalbox.benchmarks.measure.Summary
import java.util.Locale

/** The rows of a report for people, in a terminal or as Markdown. */
internal object Tables {
    private val HEADER =
        listOf("scenario", "coroutines", "permits", "", "pairs/s", "range", "p50 us", "p99 us", "p99.9 us")

    fun print(rows: List<Row>) {
        if (rows.isEmpty()) return
        Terminal(width = WIDTH).println(
            table {
                cellBorders = Borders.NONE
                align = TextAlign.RIGHT
                column(0) { align = TextAlign.LEFT }
                column(NAME) { align = TextAlign.LEFT }
                header { rowFrom(HEADER) }
                body { rows.forEach { rowFrom(cells(it)) } }
            },
        )
    }

    fun markdown(rows: List<Row>): String =
        buildString {
            appendLine(HEADER.joinToString(" | ", "| ", " |"))
            appendLine("|---|---:|---:|---|---:|---:|---:|---:|---:|")
            rows.forEach { appendLine(cells(it).joinToString(" | ", "| ", " |")) }
        }

    private fun cells(row: Row) =
        listOf(
            row.scenario,
            "${row.coroutines}",
            "${row.permits}",
            row.peer,
            row.pairsPerSecond?.let { whole(it.median) }.orEmpty(),
            row.pairsPerSecond?.let { range(it) }.orEmpty(),
            micros(row.p50),
            micros(row.p99),
            micros(row.p999),
        )

    private fun range(summary: Summary) = "${whole(summary.low)} to ${whole(summary.high)}"

    private fun micros(summary: Summary) = if (summary.median < 10) "%.1f".format(Locale.ROOT, summary.median) else whole(summary.median)

    private fun whole(number: Double) = "%,.0f".format(Locale.ROOT, number)

    private const val NAME = 3
    private const val WIDTH = 150
}
