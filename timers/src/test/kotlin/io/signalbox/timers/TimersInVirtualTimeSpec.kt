package io.signalbox.timers

import ch.qos.logback.classic.Logger
import ch.qos.logback.classic.spi.ILoggingEvent
import ch.qos.logback.core.read.ListAppender
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.InMemoryStore
import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.internal.DefaultTimers
import io.signalbox.timers.internal.ledger.TimerLedger
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledgerOf
import java.lang.management.ManagementFactory
import java.time.ZoneId
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import org.slf4j.LoggerFactory

/** Handlers can be tested in virtual time: hours pass in moments, and timers fire exactly when they are due. */
class TimersInVirtualTimeSpec : FunSpec({
    fun TestScope.store() = InMemoryStore(testTimeSource, java.time.Instant.parse("2026-03-28T00:00:00Z"))

    fun TestScope.service(
        store: InMemoryStore = store(),
        configure: TimersSettings<TestScope>.() -> Unit,
    ): Timers =
        Timers(Signalbox.inMemory(store, backgroundScope), this) {
            // Fewer turns in the long times that pass here.
            safetyCheck = 1.hours
            configure()
        }

    test("a timer fires at its time, to the millisecond") {
        runTest {
            val fired = mutableListOf<Long>()
            val timers = service { on(Notes) { fired += context.currentTime } }
            backgroundScope.launch { timers.run() }
            timers.schedule(Notes, "a", Note("x"), after = 5.minutes)
            timers.schedule(Notes, "b", Note("x"), after = 1.days)
            advanceTimeBy(5.minutes)
            fired shouldBe emptyList()
            runCurrent()
            fired shouldBe listOf(300_000)
            advanceTimeBy(1.days)
            fired shouldBe listOf(300_000, 1.days.inWholeMilliseconds)
        }
    }

    test("backoff grows, and is capped") {
        runTest {
            val fired = mutableListOf<Long>()
            val timers =
                service {
                    on(Notes, {
                        attempts = 6
                        backoff = 1.seconds
                        backoffFactor = 3.0
                        maxBackoff = 20.seconds
                        backoffJitter = 0.0
                    }) {
                        fired += context.currentTime
                        error("fails")
                    }
                }
            backgroundScope.launch { timers.run() }
            timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
            advanceTimeBy(1.hours)
            fired.zipWithNext { a, b -> b - a } shouldBe listOf(1_000L, 3_000L, 9_000L, 20_000L, 20_000L)
            timers.deadTimers().timers.single().attempts shouldBe 6
        }
    }

    test("a handler's time limit passes in virtual time") {
        runTest {
            val timers =
                service {
                    on(Notes, {
                        timeout = 10.minutes
                        attempts = 1
                    }) { awaitCancellation() }
                }
            backgroundScope.launch { timers.run() }
            timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
            advanceTimeBy(10.minutes - 1.milliseconds)
            timers.deadTimers().timers shouldBe emptyList()
            advanceTimeBy(1.seconds)
            timers.deadTimers().timers.single().reason shouldBe
                "Attempt 1 of 1: io.signalbox.timers.internal.worker.HandlerTimeout: The handler ran for longer than 10m."
        }
    }

    test("a handler that takes long keeps its claim, and others wait for nothing") {
        runTest {
            val done = mutableListOf<String>()
            val store = store()
            val workers = List(2) {
                service(store) {
                    on(Notes, { timeout = Duration.INFINITE }) {
                        if (it.text == "long") delay(30.minutes)
                        done += "$id after ${context.currentTime.milliseconds}, attempt $attempt"
                    }
                }
            }
            workers.forEach { backgroundScope.launch { it.run() } }
            val timers = workers[0]
            timers.schedule(Notes, "a", Note("long"), after = 1.minutes)
            timers.schedule(Notes, "b", Note("short"), after = 2.minutes)
            advanceTimeBy(1.hours)
            done shouldBe listOf("b after 2m, attempt 1", "a after 31m, attempt 1")
        }
    }

    test("claims whose answer is older than a lease are given back, and nobody handles them twice") {
        runTest {
            val store = store()
            val handled = mutableListOf<String>()

            fun settings(worker: String) =
                TimersSettings<TestScope>().apply {
                    takeoverAfter = 2.seconds
                    on(Notes) { handled += "$worker, attempt $attempt" }
                }
            val slow =
                DefaultTimers(Signalbox.inMemory(store, backgroundScope) as BackendOwner, this, settings("slow")) { backend, config ->
                    SlowLedger(ledgerOf(backend, config))
                }
            val quick = Timers(Signalbox.inMemory(store, backgroundScope), this) {
                takeoverAfter = 2.seconds
                on(Notes) { handled += "quick, attempt $attempt" }
            }
            backgroundScope.launch { slow.run() }
            slow.schedule(Notes, "a", Note("x"), after = 1.seconds)
            advanceTimeBy(2.seconds)
            backgroundScope.launch { quick.run() }
            advanceTimeBy(10.seconds)
            handled shouldBe listOf("quick, attempt 2")
            quick.get(Notes, "a") shouldBe null
        }
    }

    test("a handler that takes long is named after a tenth of its time") {
        runTest {
            val logger = LoggerFactory.getLogger("io.signalbox.timers.internal.worker.ShardLoop") as Logger
            val appender = ListAppender<ILoggingEvent>().apply { start() }
            logger.addAppender(appender)
            val timers = service { on(Notes) { delay(5.minutes) } }
            backgroundScope.launch { timers.run() }
            timers.schedule(Notes, "slow", Note("x"), after = Duration.ZERO)
            advanceTimeBy(59.seconds)
            appender.list.map { it.formattedMessage } shouldBe emptyList()
            advanceTimeBy(4.minutes)
            logger.detachAppender(appender)
            appender.list.map { it.formattedMessage } shouldBe
                listOf("The handler of timer 'slow' of topic 'notes' has run for 1m and keeps a place of 64; it may run for 10m")
        }
    }

    test("a year of a daily timer passes in moments") {
        runTest {
            var count = 0
            val timers = Timers(Signalbox.inMemory(store(), backgroundScope), Unit) { on(Notes) { count++ } }
            backgroundScope.launch { timers.run() }
            timers.scheduleRecurring(Notes, "daily", Note("x"), Recurrence.cron("30 2 * * *", ZoneId.of("Europe/Berlin")))
            // All of it happens on this thread, whose processor time does not depend on what else the machine does.
            val threads = ManagementFactory.getThreadMXBean()
            val before = threads.currentThreadCpuTime
            advanceTimeBy(365.days)
            val took = (threads.currentThreadCpuTime - before).nanoseconds
            println("a year of virtual time: $took")
            count shouldBe 365
            took shouldBeLessThan 5.seconds
        }
    }

    test("a cron timer follows the clocks of its zone") {
        runTest {
            val fired = mutableListOf<String>()
            val timers = service { on(Notes) { fired += "$due" } }
            backgroundScope.launch { timers.run() }
            timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.cron("30 2 * * *", ZoneId.of("Europe/Berlin")))
            advanceTimeBy(3.days)
            // On the 29th the clocks jump from 2:00 to 3:00, so half past two is half past three.
            fired shouldBe listOf("2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z")
        }
    }

    test("workers that were down for a day catch up or not, as the recurrence says") {
        runTest {
            val fired = mutableListOf<String>()
            val timers = service { on(Notes) { fired += id } }
            timers.scheduleRecurring(Notes, "once", Note("x"), Recurrence.fixedRate(1.hours))
            timers.scheduleRecurring(Notes, "all", Note("x"), Recurrence.fixedRate(1.hours, Misfire.CATCH_UP))
            advanceTimeBy(24.hours + 30.minutes)
            backgroundScope.launch { timers.run() }
            advanceTimeBy(1.minutes)
            fired.count { it == "once" } shouldBe 1
            fired.count { it == "all" } shouldBe 24
            timers.get(Notes, "once").shouldNotBeNull().due shouldBe timers.get(Notes, "all").shouldNotBeNull().due
        }
    }

    test("one pass, as a test of a handler wants it") {
        runTest {
            val fired = mutableListOf<String>()
            val timers = service { on(Notes) { fired += it.text } }
            timers.schedule(Notes, "a", Note("hello"), after = 1.days)
            timers.handleReady().total shouldBe 0
            advanceTimeBy(1.days)
            timers.handleReady().succeeded shouldBe 1
            fired shouldBe listOf("hello")
        }
    }

    test("a drain takes the time that handlers need, and no more than it may") {
        runTest {
            val timers = service {
                drainTimeout = 1.minutes
                on(Notes) { delay(it.text.toInt().seconds) }
            }
            timers.schedule(Notes, "a", Note("40"), after = Duration.ZERO)
            val first = backgroundScope.launch { timers.run() }
            runCurrent()
            first.cancel()
            first.join()
            currentTime shouldBe 40_000
            timers.count(Notes) shouldBe 0
            timers.schedule(Notes, "b", Note("900"), after = Duration.ZERO)
            val second = backgroundScope.launch { timers.run() }
            runCurrent()
            second.cancel()
            second.join()
            currentTime shouldBe 100_000
            timers.get(Notes, "b").shouldNotBeNull().state shouldBe Timer.State.WAITING
        }
    }
})

/** Answers late when it has claims to tell, as a network may. */
private class SlowLedger(
    private val ledger: TimerLedger,
) : TimerLedger by ledger {
    override suspend fun turn(
        shard: Int,
        turn: Turn,
    ): TurnAnswer =
        ledger.turn(shard, turn).also { if (it is TurnAnswer.Done && it.claims.isNotEmpty()) delay(5.seconds) }
}
