package io.signalbox.chaos.soak

import com.github.ajalt.mordant.table.table
import com.github.ajalt.mordant.terminal.Terminal
import io.signalbox.testkit.RedisServer
import java.lang.management.ManagementFactory
import java.nio.file.Files
import java.nio.file.Path
import java.util.Locale
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay

/** What is there at a moment, in this process and on the server. */
internal class Footprint(
    private val figures: Map<String, Double>,
) {
    /** What is more than at the [start], beyond what comes and goes. */
    fun growth(start: Footprint): List<String> =
        ALLOWED.filter { (name, allowed) ->
            figures.getValue(name) > start.figures.getValue(name) * allowed.factor + allowed.more
        }.map { (name, allowed) ->
            "$name grew from ${start.text(name)} to ${text(name)}; allowed: ${allowed.factor} times, and ${allowed.more} more"
        }

    private fun text(name: String): String = figures.getValue(name).let { (if (it < 100) "%.1f" else "%.0f").format(Locale.ROOT, it) }

    private class Allowed(
        val factor: Double,
        val more: Double,
    )

    companion object {
        private val ALLOWED =
            linkedMapOf(
                "heap, MiB" to Allowed(1.1, 4.0),
                "threads" to Allowed(1.0, 2.0),
                "descriptors" to Allowed(1.0, 4.0),
                "server: keys" to Allowed(1.0, 2.0),
                "server: connections" to Allowed(1.0, 0.0),
                "server: memory, MiB" to Allowed(1.2, 1.0),
                "server: commands a second while idle" to Allowed(1.3, 1.0),
            )

        /** Measured while nothing else goes on. */
        suspend fun measure(redis: RedisServer): Footprint {
            val commands = commandsASecond(redis, 4.seconds)
            return Footprint(
                mapOf(
                    "heap, MiB" to heap(),
                    "threads" to ManagementFactory.getThreadMXBean().threadCount.toDouble(),
                    "descriptors" to Files.list(Path.of("/proc/self/fd")).use { it.count() }.toDouble(),
                    "server: keys" to redis.command("DBSIZE").toDouble(),
                    "server: connections" to redis.info("connected_clients"),
                    "server: memory, MiB" to redis.info("used_memory") / MIB,
                    "server: commands a second while idle" to commands,
                ),
            )
        }

        /** By others than us. */
        suspend fun commandsASecond(
            redis: RedisServer,
            during: Duration,
        ): Double {
            val before = redis.info("total_commands_processed")
            val start = System.nanoTime()
            delay(during)
            val seconds = (System.nanoTime() - start) / 1e9
            return maxOf(0.0, redis.info("total_commands_processed") - before - 1) / seconds
        }

        fun heap(): Double {
            repeat(3) { System.gc() }
            return ManagementFactory.getMemoryMXBean().heapMemoryUsage.used / MIB
        }

        fun print(
            terminal: Terminal,
            footprints: Map<String, Footprint>,
        ) = terminal.println(
            table {
                header { row("", *footprints.keys.toTypedArray()) }
                body { ALLOWED.keys.forEach { name -> row(name, *footprints.values.map { it.text(name) }.toTypedArray()) } }
            },
        )

        private const val MIB = 1024.0 * 1024
    }
}

internal fun RedisServer.info(field: String): Double = Regex("""(?m)^$field:([0-9.]+)""").find(command("INFO"))!!.groupValues[1].toDouble()

/** How many requests clients have sent: not what scripts execute, which the server counts as commands, too. */
internal fun RedisServer.requests(): Int =
    Regex("""(?m)^cmdstat_([^:]+):calls=(\d+)""").findAll(command("INFO", "commandstats"))
        .filter { it.groupValues[1].substringBefore('|') in SENT }
        .sumOf { it.groupValues[2].toInt() }

/** Of what clients of the queue send, all that no script executes. */
private val SENT = setOf("evalsha", "eval", "script", "blpop", "hello", "auth", "select", "client", "ping")
