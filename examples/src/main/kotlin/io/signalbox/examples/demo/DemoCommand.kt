package io.signalbox.examples.demo

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.UsageError
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.convert
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.enum
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.lettuce.core.RedisURI
import io.signalbox.examples.demo.semaphore.LiveView
import io.signalbox.examples.demo.semaphore.PlainView
import io.signalbox.examples.demo.semaphore.Plan
import io.signalbox.examples.demo.semaphore.SemaphoreDemo
import io.signalbox.examples.demo.semaphore.Topology
import kotlin.time.Duration.Companion.seconds

/** The command line. Other demos become subcommands; without one it is the semaphore's. */
internal class DemoCommand : SuspendingCliktCommand(name = "bin/demo") {
    override val invokeWithoutSubcommand = true

    private val seconds by option(metavar = "N", help = "How long the workers compete, 6 to 3600 (default 15)")
        .int().restrictTo(6..3600).default(15)

    private val processes by option(metavar = "N", help = "How many worker processes, 2 to 16 (default 3)")
        .int().restrictTo(2..MAX_PROCESSES).default(3)

    private val permits by option(metavar = "N", help = "How many permits, fewer than processes (default 2)")
        .int().restrictTo(1..<MAX_PROCESSES).default(2)

    private val lease by option(
        metavar = "N",
        help = "Seconds after which a killed holder's permit comes back, 3 to 60 (default 3, or 10 where the primary is killed too)",
    ).int().restrictTo(3..60)

    private val topology by option(
        metavar = "single|sentinel|cluster",
        help = "What to start: one server, or several, of which the primary is killed in the middle (default single)",
    ).enum<Topology> { it.name.lowercase() }.default(Topology.SINGLE)

    private val redis by option(metavar = "URI", help = "The Redis to use; without it the demo starts one of its own")
        .convert { uri ->
            if (!isRedisUri(uri)) fail("${uri.replace(CREDENTIALS, "//***@")} is not redis://[[user:]password@]host[:port][/database]")
            uri
        }

    override fun help(context: Context) = """
        Worker processes compete for the permits of one distributed semaphore. One of them is killed while it holds a permit;
        the demo shows when the permit comes back, and checks at the end that the semaphore kept its promises. With --topology
        sentinel or cluster the primary is killed as well.

        Ends with "demo: ok" and code 0, with "demo: VIOLATION" and code 1, or with code 2 if it could not run.
    """.trimIndent()

    override suspend fun run() {
        if (currentContext.invokedSubcommand != null) return
        if (permits >= processes) {
            throw UsageError(
                "--permits $permits is not in the range of 1 to ${processes - 1}: with $processes processes somebody has to wait",
            )
        }
        if (redis != null && topology == Topology.SENTINEL) {
            throw UsageError("--topology sentinel is for servers that the demo starts; --redis takes a redis-sentinel:// URI as it is")
        }
        val lease = lease ?: if (topology == Topology.SINGLE) 3 else 10
        val plan = Plan(seconds.seconds, processes, permits, redis, lease.seconds, topology)
        val terminal = currentContext.terminal
        val isLive = terminal.terminalInfo.outputInteractive && LiveView.fits(terminal, plan)
        val view = if (isLive) LiveView(terminal, plan) else PlainView(System.out, plan)
        val kept = SemaphoreDemo(plan, view).run()
        if (!kept) throw ProgramResult(ExitCode.VIOLATION)
    }

    private companion object {
        const val MAX_PROCESSES = 16
        val CREDENTIALS = Regex("//[^/]*@")

        fun isRedisUri(text: String) = try {
            RedisURI.create(text)
            true
        } catch (_: IllegalArgumentException) {
            false
        }
    }
}
