package io.signalbox.benchmarks.timers

import io.signalbox.Signalbox
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch

private val Jobs = topic<String>("jobs")

/** What idle workers cost the server, and what a timer costs that fires among them. Commands as clients send them. */
internal class IdleCost(
    val workers: Int,
    val commandsPerSecondEach: Double,
    val commandsPerTimer: Double,
)

/** [workers] clients of their own, each with a worker: watched idle, then with a timer every few milliseconds for each in turn. */
internal suspend fun idleCost(
    uri: String,
    statistics: Statistics,
    workers: Int,
    window: Duration = 10.seconds,
    fired: Int = 600,
): IdleCost {
    val scope = CoroutineScope(Dispatchers.Default)
    val space = "bench-idle-$workers-${System.nanoTime().toString(36)}"
    val handled = AtomicInteger()
    val clients = List(workers) { Signalbox.connect(uri) { namespace = space } }
    val client = Signalbox.connect(uri) { namespace = space }
    try {
        val services = clients.map { Timers(it) { on(Jobs) { handled.incrementAndGet() } } }
        services.forEach { scope.launch { it.run() } }
        val timers = Timers(client) { declare(Jobs) }
        timers.schedule(Jobs, "warm-up", PAYLOAD, after = 100.milliseconds)
        while (handled.get() < 1) delay(10.milliseconds)
        // The last deputy has lain down again by then.
        delay(5.seconds)

        val before = sent(statistics)
        delay(window)
        val idle = sent(statistics) - before
        val perSecond = idle / (window.inWholeMilliseconds / 1000.0)

        val begun = System.nanoTime()
        val start = sent(statistics)
        steadily(perSecond = 50, seconds = fired / 50) { timers.schedule(Jobs, "job-$it", PAYLOAD, after = 200.milliseconds) }
        while (handled.get() < 1 + fired) delay(10.milliseconds)
        val all = sent(statistics) - start
        val seconds = (System.nanoTime() - begun) / 1e9
        return IdleCost(workers, perSecond / workers, (all - perSecond * seconds) / fired)
    } finally {
        scope.cancel()
        (clients + client).forEach { it.closeAndJoin() }
    }
}

/** Commands that clients sent: scripts and what is awaited, not what scripts call. */
private fun sent(statistics: Statistics): Long = listOf("evalsha", "eval", "blpop", "lpop").sumOf { statistics.calls(it) }
