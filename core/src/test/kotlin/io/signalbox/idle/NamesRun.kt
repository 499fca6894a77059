package io.signalbox.idle

import io.signalbox.LeaseLostException
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/**
 * So many names used once each, evenly over so many seconds, with a retention of a second: `bin/names [NAMES] [SECONDS]`.
 *
 * Prints, before the first, ten times on the way and after a pause of ten seconds at the end, what is there: heap after a collection, keys, commands that the client
 * has sent, and commands a second while nothing is used.
 */
fun main(arguments: Array<String>) {
    val names = arguments.getOrNull(0)?.toInt() ?: 1_000_000
    val seconds = arguments.getOrNull(1)?.toInt() ?: 300
    RedisServer.start().use { redis ->
        val client =
            Signalbox.connect(redis.uri) {
                lease = 333.milliseconds
                retention = 1.seconds
                storeTimeout = 60.seconds
            }
        println("%9s %9s %9s %9s %12s %12s".format("names", "seconds", "heap MB", "keys", "sent", "idle cmd/s"))
        runBlocking(Dispatchers.Default) {
            // What is loaded and opened once for all.
            client.semaphore("first", permits = 1).withPermit { }
            report(0, 0, redis, idle = idle(redis))
            val start = TimeSource.Monotonic.markNow()
            for (part in 1..PARTS) {
                useOnce(client, names / PARTS * (part - 1), names / PARTS, seconds.seconds.inWholeMicroseconds / names)
                report(names / PARTS * part, start.elapsedNow().inWholeSeconds, redis, idle = null)
            }
            delay(10.seconds)
            val idle = idle(redis)
            report(names, start.elapsedNow().inWholeSeconds, redis, idle)
            println("$lost permits were lost to pauses of this process or the server")
            client.closeAndJoin()
        }
    }
}

private suspend fun useOnce(
    client: Signalbox,
    from: Int,
    count: Int,
    pauseMicros: Long,
) = coroutineScope {
    val start = TimeSource.Monotonic.markNow()
    repeat(LANES) { lane ->
        launch {
            for (nth in lane until count step LANES) {
                val early = nth * pauseMicros / 1000 - start.elapsedNow().inWholeMilliseconds
                if (early > 0) delay(early)
                try {
                    client.semaphore("order-${from + nth}", permits = 1).withPermit { }
                } catch (_: LeaseLostException) {
                    // A machine that stands still for a third of a second.
                    lost.incrementAndGet()
                }
            }
        }
    }
}

/** Commands a second of a client that nobody uses. */
private suspend fun idle(redis: RedisServer): Double {
    val before = commands(redis)
    delay(5.seconds)
    return (commands(redis) - before) / 5.0
}

private fun report(
    names: Int,
    seconds: Long,
    redis: RedisServer,
    idle: Double?,
) {
    System.gc()
    val heap = ManagementFactory.getMemoryMXBean().heapMemoryUsage.used / (1 shl 20)
    println("%9d %9d %9d %9s %12d %12s".format(names, seconds, heap, redis.command("DBSIZE"), commands(redis), idle ?: "-"))
}

/** What the client has sent; the server's own count of commands contains those that scripts run. */
private fun commands(redis: RedisServer): Long =
    redis.command("INFO", "commandstats").lines().filter { it.startsWith("cmdstat_eval") || it.startsWith("cmdstat_blpop") }
        .sumOf { it.substringAfter("calls=").substringBefore(',').toLong() }

private val lost = AtomicInteger()
private const val PARTS = 10
private const val LANES = 64
