package io.signalbox.chaos

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.arguments.argument
import com.github.ajalt.clikt.parameters.arguments.multiple
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.choice
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.long
import com.github.ajalt.clikt.parameters.types.path
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.chaos.bug.BUGS
import io.signalbox.chaos.bug.NO_BUG
import io.signalbox.chaos.bug.jvmOptionsFor
import io.signalbox.chaos.fault.Fault
import io.signalbox.chaos.run.Crew
import io.signalbox.chaos.run.Pace
import io.signalbox.chaos.run.Run
import io.signalbox.chaos.run.Servers
import io.signalbox.testkit.ServerClock
import java.nio.file.Path
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** `bin/chaos bugs`: whether the checkers would notice. */
internal class BugsCommand : SuspendingCliktCommand(name = "bugs") {
    private val names by argument(name = "BUG", help = "All without any").choice(*BUGS.keys.toTypedArray()).multiple()

    private val minutes by option(
        metavar = "M",
        help = "How long each may stay unseen (default 2)",
    ).double().restrictTo(0.1..1000.0).default(2.0)

    private val seed by option(metavar = "S", help = "Of the first schedule of faults (default 1)").long().default(1)

    private val seeds by option(
        metavar = "N",
        help = "With how many schedules each is played (default 1)",
    ).int().restrictTo(1..100).default(1)

    private val server by option(
        metavar = "PROGRAM",
        help = "The server's program, instead of the one that the testkit finds",
    ).path(mustExist = true)

    override fun help(context: Context) = """
        Seeds bugs into scripts and clients of production, one after the other, and has each found under chaos: prints, as a table, what it undoes, which
        checkers found it, by how many of the schedules, and how long it took. At first it plays as long without any bug, and finds nothing.

        Ends with code 1 if one was not found.
    """.trimIndent()

    override suspend fun run() {
        val program = server ?: System.getenv("SIGNALBOX_REDIS_SERVER")?.takeIf { it.isNotBlank() }?.let(Path::of)
        var missed = 0
        Servers(program, ServerClock.of(program) {}).use { servers ->
            Crew().use { crew ->
                echo("| bug | undoes | found by | schedules | after |")
                echo("|---|---|---|---|---|")
                if (names.isEmpty() && !isQuietWithout(servers, crew)) throw ProgramResult(1)
                for (name in names.ifEmpty { BUGS.keys }) if (!isFound(name, servers, crew)) missed++
            }
        }
        echo("bugs: $missed not found")
        if (missed > 0) throw ProgramResult(1)
    }

    private suspend fun isQuietWithout(
        servers: Servers,
        crew: Crew,
    ): Boolean {
        val run = run(NO_BUG, seed, servers).apply { play(crew) }
        run.violations.forEach { echo("without any bug: ${"$it".take(WIDTH)}") }
        echo("| none | | ${if (run.violations.isEmpty()) "nobody" else "SOMEBODY"} | | ${run.elapsed.inWholeSeconds} s |")
        return run.violations.isEmpty()
    }

    private suspend fun isFound(
        name: String,
        servers: Servers,
        crew: Crew,
    ): Boolean {
        val runs =
            List(seeds) { nth ->
                val run = run(name, seed + nth, servers)
                // Clients whose JVMs are as always can be used again.
                if (jvmOptionsFor(name).isEmpty()) run.play(crew) else run.play()
                run
            }
        val found = runs.filter { it.violations.isNotEmpty() }
        val checkers = found.flatMap { run -> run.violations.map { it.checker } }.toSortedSet().joinToString("")
        val seconds = found.map { it.elapsed.inWholeSeconds }.sorted().joinToString { "$it s" }
        val undone = BUGS.getValue(name)
        echo("| `$name` | $undone | ${checkers.ifEmpty { "NOBODY" }} | ${found.size} of $seeds | $seconds |")
        found.firstOrNull()?.let { echo("$name: ${"${it.violations.first()}".take(WIDTH)}", err = true) }
        return found.isNotEmpty()
    }

    private fun run(
        bug: String,
        seed: Long,
        servers: Servers,
    ) = Run(seed, minutes.minutes, Fault.all, servers.stages, servers, Path.of("chaos/target/bugs").toAbsolutePath(), bug, PACE) {}

    private companion object {
        const val WIDTH = 300

        /** What is not found in a short act is found in one of the next. */
        val PACE = Pace(act = 8.seconds, patience = 60.seconds)
    }
}
