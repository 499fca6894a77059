package io.signalbox.chaos

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.options.split
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.enum
import com.github.ajalt.clikt.parameters.types.long
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.chaos.bug.BUGS
import io.signalbox.chaos.bug.NO_BUG
import io.signalbox.chaos.fault.Fault
import io.signalbox.chaos.run.Run
import io.signalbox.chaos.run.Servers
import io.signalbox.chaos.run.Stage
import io.signalbox.testkit.ServerClock
import java.nio.file.Path
import java.util.Locale
import kotlin.random.Random
import kotlin.time.Duration.Companion.minutes

/** Which servers there are, and how they belong together. */
internal enum class Topology { STANDALONE, }

/** The command line of `bin/chaos`. */
internal class ChaosCommand : SuspendingCliktCommand(name = "bin/chaos") {
    private val minutes by option(
        metavar = "M",
        help = "For how long, at least (default 1)",
    ).double().restrictTo(0.05..10_000.0).default(1.0)

    private val seed by option(metavar = "S", help = "Of the schedule of faults; by chance without").long()

    private val topology by option(help = "Which servers (default standalone)").enum<Topology> {
        it.name.lowercase()
    }.default(Topology.STANDALONE)

    private val stages by option(
        "--stages",
        metavar = "STAGE,STAGE",
        help = "How they are set up, one act after the other: ${names(Stage.entries)}",
    )
        .enum<Stage> { it.name.lowercase() }
        .split(",")

    private val faults by option(metavar = "KIND,KIND", help = "Only these kinds: ${Fault.all.joinToString { it.kind }}").split(",")

    private val server by option(
        metavar = "PROGRAM",
        help = "The server's program, instead of the one that the testkit finds",
    ).path(mustExist = true)

    private val directory by option(metavar = "DIR", help = "Where histories are kept while they are needed (default target/chaos)")
        .path().default(Path.of("chaos/target/chaos"))

    private val bug by option(metavar = "NAME", help = "Seed a bug, to see it found: ${BUGS.keys.joinToString()}").default(NO_BUG)

    /** A minute of chaos, without the name of another command. */
    override val invokeWithoutSubcommand = true

    override fun help(context: Context) = """
        Clients in processes of their own use everything that there is, while everything that can go wrong does; then all is mended, and
        what happened is checked, on the server's audit log and on what the clients have lived through.

        Ends with code 1 at the first act with a violation, whose history is kept and printed around it.
    """.trimIndent()

    override suspend fun run() {
        if (currentContext.invokedSubcommand != null) return
        val program = server ?: System.getenv("SIGNALBOX_REDIS_SERVER")?.takeIf { it.isNotBlank() }?.let(Path::of)
        val clock = ServerClock.of(program) { echo("no bent clocks: $it", err = true) }
        Servers(program, clock).use { servers ->
            val possible = (stages ?: Stage.entries).filter { it in servers.stages }
            if (possible.isEmpty()) throw UsageError("None of the stages can be had here.")
            val chosen = seed ?: Random.nextLong(1, 1_000_000)
            echo("seed $chosen, $topology".lowercase())
            val run =
                Run(chosen, minutes.minutes, kinds(), possible, servers, directory.toAbsolutePath(), bug = bug) { echo(it) }
            run.play()
            val byKind = run.strikes.groupingBy { it.kind }.eachCount().toSortedMap()
            echo(byKind.entries.joinToString { "${it.key} ${it.value}" })
            echo("${run.extras} extra holders seen within a lease after data were lost or the server's clock had jumped")
            echo(
                "chaos: ${run.violations.size} violations, ${run.operations} operations, " +
                    "${run.strikes.size} faults of ${byKind.size} kinds, ${"%.1f".format(
                        Locale.ROOT,
                        run.elapsed.inWholeMilliseconds / 60_000.0,
                    )} minutes",
            )
            if (run.violations.isNotEmpty()) throw ProgramResult(1)
        }
    }

    private fun kinds(): List<Fault> {
        val names = faults ?: return Fault.all
        return names.map { name ->
            Fault.all.firstOrNull { it.kind == name }
                ?: throw UsageError("There is no kind of fault '$name', but: ${Fault.all.joinToString { it.kind }}")
        }
    }

    private companion object {
        fun names(stages: List<Stage>) = stages.joinToString { it.name.lowercase() }
    }
}
