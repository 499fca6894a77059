package io.signalbox.micrometer

import io.micrometer.prometheusmetrics.PrometheusConfig
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry
import io.signalbox.Signalbox
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeout

internal val Jobs = topic<Int>("jobs")
private val Words = topic<String>("jobs")

/** Looks until it is so: what is told and asked for follows what happened a moment later. */
internal suspend fun until(condition: suspend () -> Boolean) =
    withTimeout(30.seconds) {
        while (!condition()) delay(2.milliseconds)
    }

/** A client on [uri] that lives through all that is measured, and the scrape of its registry then. */
internal suspend fun everything(uri: String): String {
    val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
    val signalbox =
        Signalbox.connect(uri) {
            namespace = "everything-${System.nanoTime()}"
            holdWarning = 1.milliseconds
            lease = 3.seconds
        }
    SignalboxMetrics(signalbox) {
        statisticsEvery = 1.seconds
        nameTag = { _, name -> name }
    }.bindTo(registry)
    coroutineScope {
        val exports = signalbox.semaphore("exports", permits = 2)
        exports.withPermit { }
        val held = exports.acquire(permits = 2)
        exports.tryAcquire(timeout = 10.milliseconds)
        exports.tryAcquire()
        runCatching { exports.acquire(permits = 3) }
        val closed = signalbox.semaphore("closed", permits = 0) { maxWaiters = 1 }
        val first = launch { closed.acquire() }
        until { closed.snapshot().queueLength == 1 }
        runCatching { closed.acquire() }
        first.cancelAndJoin()
        val waiting = async { exports.acquire() }
        until { exports.snapshot().queueLength == 1 }
        until { registry.find("signalbox.held.long").counters().any { it.count() > 0 } }
        // Seen by the statistics as well.
        until { registry.find("signalbox.semaphore.waiting").gauges().any { it.value() == 1.0 } }
        held.release()
        waiting.await().release()
        val short = signalbox.semaphore("short", permits = 1) { maxHold = 20.milliseconds }
        val gone = CompletableDeferred<Unit>()
        short.acquire().onLost { gone.complete(Unit) }
        gone.await()
        signalbox.mutex("report").withLock { }
        val done = signalbox.event("done")
        done.set()
        done.await()
        timers(signalbox, registry)
    }
    until { registry.find("signalbox.lost").counters().any { it.count() > 0 } }
    until { registry.find("signalbox.timers.pending").gauges().any { it.value() == 1.0 } }
    until { registry.find("signalbox.semaphore.permits").gauges().any { it.value() == 2.0 } }
    return registry.scrape().also { signalbox.closeAndJoin() }
}

private suspend fun timers(
    signalbox: Signalbox,
    registry: PrometheusMeterRegistry,
) = coroutineScope {
    lateinit var timers: Timers
    timers =
        Timers(signalbox) {
            on(Jobs, {
                attempts = 2
                backoff = 1.milliseconds
            }) { job ->
                if (job == 2 && attempt == 1) error("fails once")
                if (job == 3) error("fails")
                if (job == 4) timers.cancel(Jobs, id)
            }
        }
    TimersMetrics(timers, Jobs) { pendingEvery = 1.seconds }.bindTo(registry)
    val worker = launch { timers.run() }
    for (job in 1..4) timers.schedule(Jobs, "$job", job, after = Duration.ZERO)
    // Of another version, whose payloads are words.
    Timers(signalbox) { declare(Words) }.schedule(Words, "5", "five", after = Duration.ZERO)
    timers.schedule(Jobs, "later", 6, after = 1.hours)
    for (meter in listOf("dead", "parked", "superseded")) {
        until {
            registry.find("signalbox.timers.$meter").counters().any { it.count() > 0 }
        }
    }
    until { registry.find("signalbox.timers.run").tag("outcome", "succeeded").timers().sumOf { it.count() } == 2L }
    worker.cancel()
}
