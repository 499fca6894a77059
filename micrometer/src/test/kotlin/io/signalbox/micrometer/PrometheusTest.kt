package io.signalbox.micrometer

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.comparables.shouldBeBetween
import io.kotest.matchers.doubles.shouldBeGreaterThanOrEqual
import io.kotest.matchers.doubles.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.micrometer.prometheusmetrics.PrometheusConfig
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import java.io.File
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeMark
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch

/** The names of time series in a scrape. */
private fun series(
    scrape: String,
) = scrape.lines().filter { it.startsWith("signalbox_") }.map { it.takeWhile { c -> c != '{' && c != ' ' } }.toSet()

/** The names of meters in a scrape. */
private fun families(scrape: String) = scrape.lines().filter { it.startsWith("# TYPE signalbox_") }.map { it.split(' ')[2] }.toSet()

/** Of one line in a scrape; 0 where there is none yet. */
private fun PrometheusMeterRegistry.value(line: String): Double =
    scrape().lines().filter { it.startsWith("$line ") }.sumOf { it.substringAfterLast(' ').toDouble() }

private val Late = topic<String>("late")

class PrometheusTest :
    FunSpec({
        lateinit var scrape: String

        beforeSpec {
            scrape = everything(RedisServer.shared().uri)
            val folder = File("target/prometheus").apply { mkdirs() }
            folder.resolve("scrape.txt").writeText(scrape)
        }

        fun shouldSay(
            line: String,
            value: String,
        ) = withClue(scrape) { scrape.lines() shouldContain "$line $value" }

        test("acquires are counted by their outcome, as a histogram") {
            val exports = "kind=\"semaphore\",name=\"exports\""
            shouldSay("signalbox_acquire_seconds_count{$exports,outcome=\"granted\"}", "3")
            shouldSay("signalbox_acquire_seconds_count{$exports,outcome=\"timeout\"}", "1")
            shouldSay("signalbox_acquire_seconds_count{$exports,outcome=\"taken\"}", "1")
            shouldSay("signalbox_acquire_seconds_count{$exports,outcome=\"impossible\"}", "1")
            shouldSay("signalbox_acquire_seconds_count{kind=\"semaphore\",name=\"closed\",outcome=\"too_many_waiters\"}", "1")
            shouldSay("signalbox_acquire_seconds_count{kind=\"mutex\",name=\"report\",outcome=\"granted\"}", "1")
            shouldSay("signalbox_acquire_seconds_count{kind=\"event\",name=\"done\",outcome=\"granted\"}", "1")
            scrape shouldContain "signalbox_acquire_seconds_bucket{$exports,outcome=\"granted\",le=\"0.001\"}"
            scrape shouldContain "signalbox_hold_seconds_bucket{$exports,outcome=\"released\",le=\"+Inf\"} 3"
        }

        test("losses are counted by their reason") {
            fun count(line: String) = scrape.lines().single { it.startsWith(line) }.substringAfterLast(' ').toDouble()
            // More than one where the process stood still for longer than the hold may last.
            val lost = count("signalbox_lost_total{kind=\"semaphore\",name=\"short\",reason=\"max_hold\"}")
            lost shouldBeGreaterThanOrEqual 1.0
            count("signalbox_hold_seconds_count{kind=\"semaphore\",name=\"short\",outcome=\"lost\"}") shouldBe lost
        }

        test("timers are measured by topic") {
            shouldSay("signalbox_timers_run_seconds_count{outcome=\"succeeded\",topic=\"jobs\"}", "2")
            shouldSay("signalbox_timers_run_seconds_count{outcome=\"dead\",topic=\"jobs\"}", "1")
            shouldSay("signalbox_timers_run_seconds_count{outcome=\"retried\",topic=\"jobs\"}", "2")
            shouldSay("signalbox_timers_dead_total{topic=\"jobs\"}", "1.0")
            shouldSay("signalbox_timers_parked_total{topic=\"jobs\"}", "1.0")
            shouldSay("signalbox_timers_superseded_total{topic=\"jobs\"}", "1.0")
            shouldSay("signalbox_timers_attempts_max{topic=\"jobs\"}", "2.0")
            shouldSay("signalbox_timers_pending{topic=\"jobs\"}", "1.0")
            // Of every attempt: two jobs once, two jobs twice, and the one that cannot be decoded.
            shouldSay("signalbox_timers_lag_seconds_count{topic=\"jobs\"}", "7")
        }

        test("an acquire that the store does not answer is counted as unavailable") {
            FaultProxy(RedisServer.shared()).use { proxy ->
                val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
                val signalbox = Signalbox.connect("redis://127.0.0.1:${proxy.port}") { storeTimeout = 1.seconds }
                SignalboxMetrics(signalbox) { statisticsEvery = Duration.INFINITE }.bindTo(registry)
                val exports = signalbox.semaphore("exports", permits = 1)
                proxy.stall()
                shouldThrow<StoreUnavailableException> { exports.acquire() }
                registry.value("signalbox_acquire_seconds_count{kind=\"semaphore\",name=\"exports\",outcome=\"unavailable\"}") shouldBe 1.0
                proxy.resume()
                signalbox.closeAndJoin()
            }
        }

        test("what travelled together is counted as one exchange of so many operations") {
            val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
            val signalbox =
                Signalbox.connect(RedisServer.shared().uri) {
                    namespace = "exchanged-${System.nanoTime()}"
                    // Nothing is renewed meanwhile.
                    lease = 1.hours
                }
            SignalboxMetrics(signalbox) { statisticsEvery = Duration.INFINITE }.bindTo(registry)
            val exports = signalbox.semaphore("exports", permits = 1000)

            fun exchanges() = registry.value("signalbox_exchange_operations_count{kind=\"semaphore\"}")

            fun operations() = registry.value("signalbox_exchange_operations_sum{kind=\"semaphore\"}")
            exports.acquire().release()
            until { operations() >= 2.0 }
            val (exchangesBefore, operationsBefore) = exchanges() to operations()
            exports.acquire().release()
            until { operations() >= operationsBefore + 2 }
            operations() shouldBe operationsBefore + 2
            exchanges() shouldBe exchangesBefore + 2
            coroutineScope { repeat(500) { launch { exports.acquire() } } }
            until { operations() >= operationsBefore + 502 }
            operations() shouldBe operationsBefore + 502
            exchanges() shouldBeLessThan exchangesBefore + 502
            signalbox.closeAndJoin()
        }

        test("the lag of a timer is the time since it was due") {
            val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
            val signalbox = Signalbox.connect(RedisServer.shared().uri) { namespace = "lag-${System.nanoTime()}" }
            val handled = CompletableDeferred<TimeMark>()
            val timers = Timers(signalbox) { on(Late) { handled.complete(TimeSource.Monotonic.markNow()) } }
            TimersMetrics(timers, Late).bindTo(registry)
            val before = TimeSource.Monotonic.markNow()
            timers.schedule(Late, "1", "note", after = Duration.ZERO)
            val due = TimeSource.Monotonic.markNow()
            // Nobody handles it for so long.
            repeat(300) { signalbox.ping() }
            val atLeast = due.elapsedNow()
            val worker = launch { timers.run() }
            val sinceHandled = handled.await()
            val atMost = before.elapsedNow() - sinceHandled.elapsedNow()
            until { registry.value("signalbox_timers_lag_seconds_count{topic=\"late\"}") == 1.0 }
            // The server's clock is read in milliseconds.
            registry.value("signalbox_timers_lag_seconds_sum{topic=\"late\"}").seconds.shouldBeBetween(
                atLeast - 2.milliseconds,
                atMost + 2.milliseconds,
            )
            worker.cancel()
            signalbox.closeAndJoin()
        }

        test("the dashboard asks for what there is, and shows all of it") {
            val dashboard = File("../docs/grafana/signalbox.json").readText()
            val asked = Regex("signalbox_[a-z_]+").findAll(dashboard).map { it.value }.toSet()
            asked.shouldNotBeEmpty()
            withClue("asked for, but not there") { (asked - series(scrape)).shouldBeEmpty() }
            withClue("there, but not asked for") {
                families(scrape).filter { family -> asked.none { it.startsWith(family) } }.filterNot { it.endsWith("_max") }.shouldBeEmpty()
            }
        }

        test("the documented names are these") {
            val documented = Regex("`(signalbox\\.[a-z.]+)`").findAll(File("../docs/services.md").readText()).map {
                it.groupValues[1]
            }.toSet()
            val names = families(scrape).map {
                it.removeSuffix("_total").removeSuffix("_seconds").removeSuffix("_operations").removeSuffix("_attempts").replace('_', '.')
            }
            names.filterNot { it.endsWith(".max") }.forEach { name -> documented.any { it.startsWith(name) } shouldBe true }
            documented.shouldContainAll(listOf("signalbox.acquire", "signalbox.hold", "signalbox.timers.lag"))
        }
    })
