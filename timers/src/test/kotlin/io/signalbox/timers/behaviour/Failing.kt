package io.signalbox.timers.behaviour

import ch.qos.logback.classic.Level
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.logging.logged
import io.signalbox.timers.DeadTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import java.time.Instant
import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.channels.Channel

/** Handlers that throw, hang and ignore cancellation. */
fun TimersBehaviour.failing() {
    behaviour("a handler that fails is tried again, until it succeeds") {
        val timers = service {
            on(Notes, { backoff = 10.milliseconds }) {
                note(it)
                if (attempt < 3) error("not yet")
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val handled = List(3) { log.next() }
        handled.map { it.attempt } shouldBe listOf(1, 2, 3)
        handled.map { it.due }.distinct() shouldHaveSize 1
        soon { timers.count(Notes) shouldBe 0 }
        timers.deadTimers().timers shouldBe emptyList()
    }

    behaviour("whatever a handler throws, the timer comes again and others are not affected") {
        val problems = listOf(StackOverflowError("deep"), OutOfMemoryError("made up"), CancellationException("own"), Exception("plain"))
        val timers = service {
            on(Notes, { backoff = 10.milliseconds }) {
                note(it)
                if (attempt == 1) throw problems[it.text.toInt()]
            }
        }
        timers.start()
        problems.indices.forEach { timers.schedule(Notes, "$it", Note("$it"), after = Duration.ZERO) }
        List(2 * problems.size) { log.next().run { "$id/$attempt" } }.sorted() shouldBe
            problems.indices.flatMap { listOf("$it/1", "$it/2") }.sorted()
    }

    behaviour("each attempt that fails is logged once, and so is a timer that is dead, or an occurrence that is given up") {
        val timers = service {
            on(Notes, {
                attempts = 3
                backoff = 1.milliseconds
                backoffJitter = 0.0
            }) {
                note(it)
                error("no way")
            }
        }
        val lines =
            logged(Level.INFO) {
                timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
                timers.scheduleRecurring(Notes, "r", Note("x"), Recurrence.fixedRate(1.hours), first = Instant.EPOCH)
                timers.start()
                repeat(6) { log.next() }
                soon { timers.deadTimers().timers shouldHaveSize 1 }
                soon { timers.get(Notes, "r").shouldNotBeNull().attempts shouldBe 0 }
            }
        lines.filter { "of topic 'notes'" in it } shouldContainExactlyInAnyOrder
            listOf("a", "r").flatMap { id ->
                listOf(
                    "INFO Handlers: Timer '$id' of topic 'notes' failed at attempt 1 and comes again in 1ms",
                    "INFO Handlers: Timer '$id' of topic 'notes' failed at attempt 2 and comes again in 2ms",
                )
            } + "WARN Handlers: Timer 'a' of topic 'notes' has failed 3 times and is dead" +
            "WARN Handlers: An occurrence of timer 'r' of topic 'notes' has failed 3 times and is given up"
    }

    behaviour("a timer that has used up its attempts is dead, visible, and can be requeued or discarded") {
        val isRepaired = AtomicBoolean()
        val timers = service {
            on(Notes, {
                backoff = 5.milliseconds
                attempts = 2
            }) {
                note(it)
                if (!isRepaired.get()) error("no way, ${it.text}")
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        timers.schedule(Notes, "b", Note("y"), after = Duration.ZERO)
        val dead = soon { timers.deadTimers().timers.also { it shouldHaveSize 2 } }.first { it.id == "a" }
        dead.kind shouldBe DeadTimer.Kind.DEAD
        dead.attempts shouldBe 2
        dead.reason shouldContain "no way, x"
        String(dead.rawPayload) shouldBe """{"text":"x"}"""
        timers.get(Notes, "a").shouldNotBeNull().state shouldBe Timer.State.DEAD
        timers.count(Notes) shouldBe 0
        repeat(4) { log.next() }
        log.nothingMore()

        // From now on it does not die again, and then there is nothing to requeue.
        isRepaired.set(true)
        timers.requeue("notes", "a") shouldBe true
        timers.requeue("notes", "a") shouldBe false
        log.next().run { Pair(id, attempt) } shouldBe Pair("a", 1)
        timers.discard("notes", "b") shouldBe true
        timers.discard("notes", "b") shouldBe false
        timers.get(Notes, "b") shouldBe null
        timers.requeue("notes", "none") shouldBe false
    }

    behaviour("setting a dead timer anew brings it back to life") {
        val timers = service {
            on(Notes, { attempts = 1 }) {
                note(it)
                if (it.text == "bad") error("bad")
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("bad"), after = Duration.ZERO)
        soon { timers.deadTimers().timers shouldHaveSize 1 }
        timers.schedule(Notes, "a", Note("good"), after = Duration.ZERO)
        List(2) { log.next().text } shouldBe listOf("bad", "good")
        soon { timers.get(Notes, "a") shouldBe null }
        timers.deadTimers().timers shouldBe emptyList()
    }

    behaviour("a handler that hangs is cancelled after its timeout and tried again") {
        val hung = AtomicInteger()
        val cancelled = CompletableDeferred<Int>()
        val timers = service {
            on(Notes, {
                timeout = SOON
                backoff = 5.milliseconds
                backoffFactor = 1.0
                // On a slow machine the time may be up before a handler has begun.
                attempts = Int.MAX_VALUE
            }) {
                try {
                    if (hung.compareAndSet(0, attempt)) awaitCancellation()
                } finally {
                    cancelled.complete(attempt)
                }
                note(it)
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        cancelled.await() shouldBe hung.get()
        log.next().attempt shouldBeGreaterThan hung.get()
        soon { timers.count(Notes) shouldBe 0 }
    }

    behaviour("a handler that ignores its cancellation keeps no place") {
        val block = CountDownLatch(1)
        val isFirst = AtomicBoolean(true)
        val problems = Channel<Throwable>(Channel.UNLIMITED)
        val timers = service {
            concurrency = 1
            on(Notes, {
                timeout = SOON
                backoff = 5.milliseconds
                backoffFactor = 1.0
                // On a slow machine the time may be up before a handler has begun.
                attempts = Int.MAX_VALUE
            }) {
                if (isFirst.getAndSet(false)) {
                    note(it)
                    @Suppress("BlockingMethodInNonBlockingContext")
                    block.await()
                }
            }
            on(Others, handler = { note(it) })
            listener = TimerListener { if (it is TimerEvent.Retried) problems.trySend(it.cause) }
        }
        try {
            timers.start()
            timers.schedule(Notes, "a", Note("stubborn"), after = Duration.ZERO)
            log.next().id shouldBe "a"
            timers.schedule(Others, "b", Note("x"), after = Duration.ZERO)
            log.next().id shouldBe "b"
            problems.receive().message shouldContain "longer than"
            soon { timers.count(Notes) shouldBe 0 }
        } finally {
            block.countDown()
        }
    }

    behaviour("failing timers do not keep others waiting") {
        val timers = service {
            on(Notes, { backoff = 1.hours }) {
                note(it)
                if (it.text == "bad") error("bad")
            }
            concurrency = 2
        }
        repeat(20) { timers.schedule(Notes, "bad-$it", Note("bad"), after = Duration.ZERO) }
        timers.schedule(Notes, "good", Note("good"), after = Duration.ZERO)
        timers.start()
        List(21) { log.next().text }.count { it == "good" } shouldBe 1
    }
}
