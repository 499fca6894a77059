package io.signalbox.examples.demo.timers

import io.signalbox.Signalbox
import io.signalbox.examples.demo.DemoFailure
import io.signalbox.testkit.ChildJvm
import io.signalbox.timers.Timers
import java.util.Locale
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import org.HdrHistogram.Histogram

/** Starts workers, sets timers, kills a worker half-way, and judges what the workers report. */
internal class TimersDemo(
    private val uri: String,
    private val length: Duration,
    private val processes: Int,
    private val rate: Int,
) {
    private val fired = ConcurrentLinkedQueue<Fired>()
    private val workers = ArrayList<ChildJvm>()
    private var set = 0
    private var kills = 0

    /** Returns whether timers have kept their promises. */
    suspend fun run(): Boolean = withContext(Dispatchers.Default) {
        println("$processes worker processes, $rate timers a second for $length, each due after up to 2 s; one worker is killed half-way")
        val client = Signalbox.connect(uri)
        try {
            repeat(processes) { hire() }
            workers.forEach { it.awaitLine("ready") }
            val timers = Timers(client) { declare(Beats) }
            warmUp(timers)
            setAll(timers)
            awaitEnd(timers)
            judge()
        } finally {
            workers.forEach { it.close() }
            client.closeAndJoin()
        }
    }

    private fun hire() {
        val number = workers.size + 1
        workers += ChildJvm.start(
            "io.signalbox.examples.demo.timers.TimerWorkerKt",
            listOf(uri),
            listOf("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            onLine = { line -> Fired.parse(number, line)?.let(fired::add) },
        )
    }

    /** Until all processes run at their usual speed, which takes a cold JVM some seconds. */
    private suspend fun warmUp(timers: Timers) {
        repeat(WARM_UPS) { timers.schedule(Beats, "warm-up-$it", Beat("warm"), after = Random.nextInt(1000).milliseconds) }
        awaitEnd(timers)
        fired.clear()
    }

    private suspend fun setAll(timers: Timers) = coroutineScope {
        val begun = TimeSource.Monotonic.markNow()
        var shown = 0
        while (begun.elapsedNow() < length) {
            val wanted = (rate * begun.elapsedNow().inWholeMilliseconds / 1000).toInt()
            while (set < wanted) {
                val id = "timer-${set++}"
                launch { timers.schedule(Beats, id, Beat("tick"), after = Random.nextInt(2000).milliseconds) }
            }
            if (kills == 0 && begun.elapsedNow() > length / 2) {
                // The busiest: the others only stand by.
                val victim = workers.indices.maxBy { index -> fired.count { it.worker == index + 1 } }
                workers[victim].kill()
                kills++
                val at = begun.elapsedNow().inWholeMilliseconds / 1000.0
                println("  %4.1f s  worker ${victim + 1} is killed".format(Locale.ROOT, at))
            }
            if (begun.elapsedNow().inWholeSeconds > shown) {
                shown++
                println("  %4d s  %d set, %d fired".format(Locale.ROOT, shown, set, fired.size))
            }
            delay(10.milliseconds)
        }
    }

    private suspend fun awaitEnd(timers: Timers) {
        val begun = TimeSource.Monotonic.markNow()
        while (timers.count(Beats) > 0) {
            if (begun.elapsedNow() > 60.seconds) throw DemoFailure("timers are still waiting after a minute")
            delay(50.milliseconds)
        }
        // What was acknowledged was reported before; the pipes may still hold it.
        delay(200.milliseconds)
    }

    private fun judge(): Boolean {
        val byTimer = fired.groupBy { it.id }
        val lags = Histogram(3_600_000, 3)
        fired.filter { it.attempt == 1 }.forEach { lags.recordValue(maxOf(0, it.at - it.due)) }
        val lost = set - byTimer.size
        val early = fired.count { it.at < it.due }
        val again = byTimer.values.count { it.size > 1 }
        val needless = byTimer.values.count { runs ->
            runs.sortedBy { it.claimed }.zipWithNext().any { (one, two) -> two.claimed - one.claimed < LEASE }
        }
        val share = workers.indices.joinToString { index -> "worker ${index + 1}: ${fired.count { it.worker == index + 1 }}" }
        println("  $share")
        val late = "late by p50 ${lags.getValueAtPercentile(50.0)} ms, p99 ${lags.getValueAtPercentile(99.0)} ms"
        println("  $late, at most ${lags.maxValue} ms")
        val broken = listOf("lost" to lost, "early" to early, "handled twice without need" to needless).filter { it.second > 0 }
        if (broken.isNotEmpty()) {
            println("demo: VIOLATION ${broken.joinToString { "${it.second} ${it.first}" }}")
            return false
        }
        println("demo: ok $set timers, $processes processes, $kills kill, $again handled again after it, $late")
        return true
    }

    private companion object {
        const val WARM_UPS = 1000

        /** Microseconds after which the claim of a dead worker has ended, to the millisecond. */
        const val LEASE = 1_999_000L
    }
}
