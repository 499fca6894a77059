package io.signalbox.chaos.soak

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.restrictTo
import io.signalbox.testkit.RedisServer
import java.util.Locale
import kotlin.time.Duration.Companion.minutes
import kotlin.time.TimeSource

/** `bin/soak`. */
internal class SoakCommand : SuspendingCliktCommand(name = "soak") {
    private val minutes by option(
        metavar = "M",
        help = "For how long, at least (default 5)",
    ).double().restrictTo(0.1..10_000.0).default(5.0)

    override fun help(context: Context) = """
        Names, timers and clients come and go, beside one client that stays. Then everything is idle, and what is there is compared with
        what was there in the beginning, after a first round of the same: heap, threads, descriptors, keys, connections, memory of the
        server, commands.

        Ends with code 1 if something has grown.
    """.trimIndent()

    override suspend fun run() {
        RedisServer.start().use { redis ->
            Household(redis.uri).use { household ->
                household.live(minOf(1.0, minutes / 4).minutes)
                household.rest(redis)
                val start = Footprint.measure(redis)
                val mark = TimeSource.Monotonic.markNow()
                household.live(minutes.minutes)
                household.rest(redis)
                val end = Footprint.measure(redis)
                Footprint.print(terminal, mapOf("in the beginning" to start, "in the end" to end))
                val growth = end.growth(start)
                growth.forEach { echo(it) }
                echo(
                    "soak: ${growth.size} things grew, ${household.names} names, ${household.timers} timers, " +
                        "${household.clients} clients, ${household.operations} operations, ${"%.1f".format(
                            Locale.ROOT,
                            mark.elapsedNow().inWholeMilliseconds / 60_000.0,
                        )} minutes",
                )
                if (growth.isNotEmpty()) throw ProgramResult(1)
            }
        }
    }
}
