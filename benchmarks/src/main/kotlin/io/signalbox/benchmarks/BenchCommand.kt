package io.signalbox.benchmarks

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.flag
import com.github.ajalt.clikt.parameters.options.multiple as multipleOptions
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.enum
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.figure.Figure
import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.report.Machine
import io.signalbox.benchmarks.report.Plots
import io.signalbox.benchmarks.report.Report
import io.signalbox.benchmarks.report.Tables
import io.signalbox.benchmarks.scripts.ScriptPrices
import io.signalbox.testkit.RedisProcess
import java.io.IOException
import java.nio.file.Path
import kotlin.io.path.createParentDirectories
import kotlin.io.path.extension
import kotlin.io.path.nameWithoutExtension
import kotlin.io.path.readText
import kotlin.io.path.writeText
import kotlin.time.Duration.Companion.seconds

/** The command line of `bin/bench`. */
internal class BenchCommand : SuspendingCliktCommand(name = "bin/bench") {
    private val figures by argument(name = "FIGURE", help = "P1 to P9, J1, J2, C1, C2 or Q1; all without any").enum<Figure>().multiple()

    private val rounds by option(metavar = "N", help = "Rounds per peer and load, after one to warm up (default 5)")
        .int().restrictTo(1..1000).default(5)

    private val seconds by option(metavar = "S", help = "Length of a round (default 0.8)")
        .double().restrictTo(0.05..600.0).default(0.8)

    private val scripts by option(
        help = "What each kind of exchange costs the server, in microseconds; and no figures but those named",
    ).flag()

    private val servers by option(
        "--server",
        metavar = "PROGRAM",
        help = "The server's program: a name on the PATH, a path, or ${ServerChoice.BUNDLED} for the testkit's own. " +
            "Given more than once: everything, on one after the other",
    ).multipleOptions()

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

        No figure should be quoted from one build of the server alone: --server redis-server --server bundled.

        bin/bench --full [JMH OPTIONS] runs everything under JMH instead.
    """.trimIndent()

    override suspend fun run() {
        redraw?.let { file -> return draw(Report.read(file.readText()), plots ?: Path.of(".")) }
        servers.map(::ServerChoice).ifEmpty { listOf(ServerChoice(null)) }.forEachIndexed { index, server ->
            if (index > 0) echo("")
            measureOn(server, if (index == 0) "" else "-${index + 1}")
        }
    }

    private suspend fun measureOn(
        choice: ServerChoice,
        suffix: String,
    ) {
        val server =
            try {
                choice.start()
            } catch (failure: IOException) {
                throw UsageError("The server cannot be started; choose another with --server. ${failure.message}")
            }
        try {
            server.use { Statistics(it.uri).use { statistics -> measure(it, choice, statistics, suffix) } }
        } catch (failure: CheckFailure) {
            echo("check failed: ${failure.message}", err = true)
            throw ProgramResult(1)
        }
    }

    private suspend fun measure(
        server: RedisProcess,
        choice: ServerChoice,
        statistics: Statistics,
        suffix: String,
    ) {
        val machine = Machine.read(statistics, server.origin)
        echo("$machine")
        val lines = mutableListOf<FigureLine>()
        if (scripts) lines += ScriptPrices(server.uri, statistics, rounds).measure().onEach { echo("$it") }
        val plan = Plan(rounds, seconds.seconds)
        val bench = Bench(server.uri, statistics, plan, choice::start) { echo("... $it", err = true) }
        val wanted = if (scripts) figures else figures.ifEmpty { Figure.entries }
        bench.use { wanted.distinct().forEach { figure -> lines += figure.measure(bench).onEach { echo("$it") } } }
        bench.beside.forEach { echo(it) }
        val report = Report(machine, plan.rounds, seconds, lines, bench.rows, bench.waiting)
        echo("")
        if (markdown) echo(Tables.markdown(report.rows)) else Tables.print(report.rows)
        val file = json.resolveSibling("${json.nameWithoutExtension}$suffix.${json.extension}")
        file.createParentDirectories().writeText(report.json())
        echo("written: $file")
        plots?.let { draw(report, it.resolveSibling("${it.fileName}$suffix")) }
    }

    private fun draw(
        report: Report,
        directory: Path,
    ) = Plots(report, directory).write().forEach { echo("written: $it") }
}
