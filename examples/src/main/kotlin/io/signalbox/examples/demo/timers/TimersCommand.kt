package io.signalbox.examples.demo.timers

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.examples.demo.ExitCode
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.seconds

/** `bin/demo timers`. */
internal class TimersCommand : SuspendingCliktCommand(name = "timers") {
    private val seconds by option(metavar = "N", help = "For how long timers are set, 4 to 600 (default 8)")
        .int().restrictTo(4..600).default(8)

    private val processes by option(metavar = "N", help = "How many worker processes, 2 to 16 (default 3)")
        .int().restrictTo(2..16).default(3)

    private val rate by option(metavar = "N", help = "Timers a second, 10 to 5000 (default 500)")
        .int().restrictTo(10..5000).default(500)

    override fun help(context: Context) = """
        Worker processes handle timers that are set at random. One of them is killed; the others take over what it had. Shows how late
        timers fired, and checks that none was lost, early, or handled twice without need.
    """.trimIndent()

    override suspend fun run() {
        val server = try {
            RedisServer.start {}
        } catch (e: IllegalStateException) {
            throw DemoFailure("no Redis could be started. ${e.message}", e)
        }
        val kept = server.use { TimersDemo(it.uri, seconds.seconds, processes, rate).run() }
        if (!kept) throw ProgramResult(ExitCode.VIOLATION)
    }
}
