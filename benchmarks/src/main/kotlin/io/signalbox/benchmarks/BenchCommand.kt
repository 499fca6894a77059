package io.signalbox.benchmarks

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.enum
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.figure.Figure
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.report.Machine
import io.signalbox.benchmarks.report.Plots
import io.signalbox.benchmarks.report.Report
import io.signalbox.benchmarks.report.Tables
import io.signalbox.testkit.RedisServer
import java.nio.file.Path
import kotlin.io.path.createParentDirectories
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** The command line of `bin/bench`. */
internal class BenchCommand : SuspendingCliktCommand(name = "bin/bench") {
    private val figures by argument(name = "FIGURE", help = "P1 to P7, or J1; all without any").enum<Figure>().multiple()

    private val rounds by option(metavar = "N", help = "Rounds per peer and load, after one to warm up (default 5)")
        .int().restrictTo(1..1000).default(5)

    private val seconds by option(metavar = "S", help = "Length of a round (default 1.2)")
        .double().restrictTo(0.05..600.0).default(1.2)

    private val json by option(metavar = "FILE", help = "Where everything is written for machines (default benchmarks/target/bench.json)")
        .path().default(Path.of("benchmarks/target/bench.json"))

    private val plots by option(metavar = "DIR", help = "Where to draw the comparison; not at all without")
        .path()

    private val redraw by option(metavar = "FILE", help = "Measure nothing: draw the plots of a file written by --json")
        .path(mustExist = true)

    private val markdown by option(help = "Print the table in Markdown").flag()

    override fun help(context: Context) = """
        Signalbox beside its peers, in one run on a Redis that it starts itself: interleaved rounds, medians, and a line for every figure.

        Checks while it measures: grants counted on the server equal the pairs reported, and never more hold than there are permits.
        Ends with code 0 when everything was measured, whatever the figures, and with code 1 when a check failed.

        bin/bench --full [JMH OPTIONS] runs everything under JMH instead.
    """.trimIndent()

    override suspend fun run() {
        redraw?.let { file -> return draw(Report.read(file.readText()), plots ?: Path.of(".")) }
        val plan = Plan(rounds, seconds.seconds)
        try {
            RedisServer.start {}.use { server ->
                Statistics(server.uri).use { statistics -> measure(plan, server.uri, statistics) }
            }
        } catch (failure: CheckFailure) {
            echo("check failed: ${failure.message}", err = true)
            throw ProgramResult(1)
        }
    }

    private suspend fun measure(
        plan: Plan,
        uri: String,
        statistics: Statistics,
    ) {
        val machine = Machine.read(statistics)
        echo("$machine")
        val bench = Bench(uri, statistics, plan) { echo("... $it", err = true) }
        val lines =
            figures.ifEmpty { Figure.entries }.distinct().flatMap { figure ->
                figure.measure(bench).onEach { echo("$it") }
            }
        bench.beside.forEach { echo(it) }
        val report = Report(machine, plan.rounds, seconds, lines, bench.rows, bench.waiting)
        echo("")
        if (markdown) echo(Tables.markdown(report.rows)) else Tables.print(report.rows)
        json.createParentDirectories().writeText(report.json())
        echo("written: $json")
        plots?.let { draw(report, it) }
    }

    private fun draw(
        report: Report,
        directory: Path,
    ) = Plots(report, directory).write().forEach { echo("written: $it") }
}
