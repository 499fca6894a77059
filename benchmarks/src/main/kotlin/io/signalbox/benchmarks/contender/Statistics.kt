package io.signalbox.benchmarks.contender

import io.lettuce.core.RedisClient
import io.lettuce.core.api.sync.RedisCommands

/** What the server itself says, asked over a connection that carries nothing else. */
internal class Statistics(
    uri: String,
) : AutoCloseable {
    private val client = RedisClient.create(uri)
    val commands: RedisCommands<String, String> = client.connect().sync()

    /** How often [command] was called, from scripts included. */
    fun calls(command: String): Long = spent(command).calls

    /** What [command] has cost the server's thread so far, calls from scripts included. */
    fun spent(command: String): Spent {
        val (calls, micros) =
            Regex("cmdstat_$command:calls=(\\d+),usec=(\\d+)").find(commands.info("commandstats"))?.destructured ?: return Spent(0, 0)
        return Spent(calls.toLong(), micros.toLong())
    }

    /** All commands that clients sent, except those of this class. */
    fun info(
        section: String,
        field: String,
    ): String? =
        commands
            .info(section)
            .lineSequence()
            .firstOrNull { it.startsWith("$field:") }
            ?.substringAfter(':')
            ?.trim()

    /** Seconds of CPU time that the server has used. */
    fun cpuSeconds(): Double = listOf("used_cpu_user", "used_cpu_sys").sumOf { info("cpu", it)?.toDouble() ?: 0.0 }

    /** Client connections, without this one. */
    fun connections(): Int = commands.clientList().lineSequence().count { it.isNotBlank() } - 1

    override fun close() = client.shutdown(0, 0, java.util.concurrent.TimeUnit.SECONDS)
}

/** Calls of a command, and microseconds in all. */
internal class Spent(
    val calls: Long,
    val micros: Long,
)
