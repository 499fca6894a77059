package io.signalbox.benchmarks

import io.signalbox.testkit.RedisServer
import java.util.Locale
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.runBlocking

/** `bin/bench`: acquire+release pairs per second beside the bare list, with 1, 64 and 1000 coroutines, in one run. */
public fun main(arguments: Array<String>) {
    val rounds = arguments.firstOrNull()?.toIntOrNull() ?: 7
    RedisServer.start {}.use { server ->
        println(machine(server))
        runBlocking {
            for (coroutines in listOf(1, 64, 1000)) {
                RawListContender(server.uri, coroutines).use { raw ->
                    SignalboxContender(server.uri).open(coroutines).use { signalbox ->
                        val results = compare(listOf(raw, signalbox), coroutines, rounds, ROUND)
                        results.forEach { (contender, it) -> println(line(contender.name, coroutines, it)) }
                        val ratio = results.getValue(signalbox).median / results.getValue(raw).median
                        println("uncontended_vs_raw c=$coroutines ${"%.2f".format(Locale.ROOT, ratio)}")
                    }
                }
            }
        }
    }
}

private val ROUND = 1500.milliseconds

private fun line(
    name: String,
    coroutines: Int,
    summary: Summary,
) = summary.run {
    "%-16s c=%-5d %,10.0f pairs/s (%,.0f to %,.0f)".format(Locale.ROOT, name, coroutines, median, low, high)
}

private fun machine(server: RedisServer): String {
    val version = server.command("INFO", "server").lineSequence().first { it.startsWith("redis_version") }.trim()
    val runtime = Runtime.getRuntime()
    return "${runtime.availableProcessors()} cores, ${System.getProperty("os.name")} ${System.getProperty("os.arch")}, " +
        "Java ${System.getProperty("java.version")}, $version"
}
