package io.signalbox.chaos.soak

import com.github.ajalt.clikt.command.SuspendingCliktCommand
import com.github.ajalt.clikt.core.Context
import com.github.ajalt.clikt.core.PrintMessage
import com.github.ajalt.clikt.core.ProgramResult
import com.github.ajalt.clikt.core.terminal
import com.github.ajalt.clikt.parameters.options.default
import com.github.ajalt.clikt.parameters.options.option
import com.github.ajalt.clikt.parameters.types.double
import com.github.ajalt.clikt.parameters.types.int
import com.github.ajalt.clikt.parameters.types.restrictTo
import com.github.ajalt.mordant.table.table
import io.signalbox.Semaphore
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.RedisServer
import java.util.Locale
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch

/** `bin/chaos return`: a server that is away, with many who wait for it. */
internal class ReturnCommand : SuspendingCliktCommand(name = "return") {
    private val away by option(
        metavar = "S",
        help = "For how many seconds the server is away (default 60)",
    ).double().restrictTo(1.0..3600.0).default(60.0)

    private val waiters by option(
        metavar = "N",
        help = "How many wait, in all (default 10000)",
    ).int().restrictTo(1..1_000_000).default(10_000)

    private val clients by option(metavar = "N", help = "In how many clients (default 20)").int().restrictTo(1..1000).default(20)

    private val lease by option(metavar = "S", help = "Lease in seconds: shorter than the outage, and all queue again (default 10)")
        .double().restrictTo(0.5..3600.0).default(10.0)

    override fun help(context: Context) = """
        A server that is away for a minute while thousands wait: what it costs meanwhile, and how many requests a second come when it is back.

        Ends with code 1 if some waiter is forgotten, if the heap has grown, or if the clients come as a herd: with more requests in some second than
        one for each ten waiters.
    """.trimIndent()

    override suspend fun run() {
        RedisServer.start { appendOnly() }.use { redis ->
            val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
            val connected =
                List(clients) {
                    Signalbox.connect(redis.uri) {
                        lease = this@ReturnCommand.lease.seconds
                        // Whoever has no place yet when the server goes is to have one when it is back.
                        storeTimeout = away.seconds + 5.minutes
                    }
                }
            try {
                measure(redis, scope, connected)
            } finally {
                scope.cancel()
                connected.forEach { it.close() }
            }
        }
    }

    private suspend fun measure(
        redis: RedisProcess,
        scope: CoroutineScope,
        connected: List<Signalbox>,
    ) {
        val served = AtomicInteger()
        val failures = ConcurrentLinkedQueue<SignalboxException>()
        val semaphores = connected.map { client -> List(NAMES) { client.semaphore("name-$it", 1) } }
        val held = semaphores.first().map { it.acquire() }
        val jobs =
            List(waiters) { number ->
                val semaphore: Semaphore = semaphores[number % clients][number / clients % NAMES]
                scope.launch {
                    try {
                        semaphore.acquire().release()
                        served.incrementAndGet()
                    } catch (failure: SignalboxException) {
                        failures += failure
                    }
                }
            }
        while (semaphores.first().sumOf { it.snapshot(1).queueLength } < waiters) {
            if (held.any { it.isLost }) throw PrintMessage("The machine is too busy for leases of $lease s: try a longer --lease.", 2, true)
            delay(100.milliseconds)
        }
        val idle = Footprint.commandsASecond(redis, 5.seconds)
        val heapBefore = Footprint.heap()
        redis.kill()
        delay(away.seconds)
        val heapAfter = Footprint.heap()
        redis.restart()
        val back = TimeSource.Monotonic.markNow()
        val seconds = follow(redis, back, 10)
        held.forEach { it.release() }
        jobs.joinAll()
        val last = back.elapsedNow()
        terminal.println(
            table {
                header { row("", "") }
                body {
                    row("waiters, clients, names", "$waiters, $clients, $NAMES")
                    row("lease, outage", "$lease s, $away s")
                    row("heap before and at the end of the outage, MiB", "%.1f, %.1f".format(Locale.ROOT, heapBefore, heapAfter))
                    row("commands a second while all wait", "%.1f".format(Locale.ROOT, idle))
                    row("requests in each second after the return", seconds.joinToString { "${it.requests}" })
                    row("what the server executes for them, scripts and all", seconds.joinToString { "${it.commands}" })
                }
            },
        )
        val most = seconds.maxOf { it.requests }
        val problems =
            listOfNotNull(
                "the heap grew".takeIf { heapAfter > heapBefore * 1.1 + 4 },
                "the clients came as a herd".takeIf { most > maxOf(waiters / 10, clients * NAMES * REQUESTS_OF_A_SESSION) },
                "only ${served.get()} were served: ${failures.firstOrNull()}".takeIf { served.get() < waiters },
            )
        problems.forEach { echo(it) }
        echo(
            "return: ${problems.size} problems, at most $most requests a second after the return, $waiters waiters served " +
                "${"%.1f".format(Locale.ROOT, last.inWholeMilliseconds / 1000.0)} s after it",
        )
        if (problems.isNotEmpty()) throw ProgramResult(1)
    }

    /** What the server is asked for in a second, and executes. */
    private class Second(
        val requests: Int,
        val commands: Int,
    )

    /** Each second from the start on; the server's own counts begin at zero then, and some of it is our own asking. */
    private suspend fun follow(
        redis: RedisServer,
        start: TimeSource.Monotonic.ValueTimeMark,
        seconds: Int,
    ): List<Second> {
        var before = Second(0, 0)
        return List(seconds) { number ->
            delay((start + (number + 1).seconds).elapsedNow().coerceAtMost(Duration.ZERO).absoluteValue)
            val now = Second(redis.requests(), redis.info("total_commands_processed").toInt())
            Second(now.requests - before.requests, now.commands - before.commands).also { before = now }
        }
    }

    private companion object {
        const val NAMES = 10

        /** Opening, and the exchange that queues again. */
        const val REQUESTS_OF_A_SESSION = 5
    }
}
