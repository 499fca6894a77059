package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldBeSorted
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.timers.NewTimer
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Handlers get their timers, in time. */
fun TimersBehaviour.handling() {
    behaviour("a handler gets what was set, and the timer is gone") {
        val timers = notes()
        timers.start()
        timers.schedule(Notes, "a", Note("hello"), after = SOON)
        val due = timers.get(Notes, "a")?.due
        val handled = log.next()
        handled.run { listOf(topic, id, text, attempt) } shouldBe listOf("notes", "a", "hello", 1)
        if (due != null) handled.due shouldBe due
        soon { timers.count(Notes) shouldBe 0 }
        timers.get(Notes, "a") shouldBe null
    }

    behaviour("no timer comes early, however it is set") {
        val early = mutableListOf<Duration>()
        val times = mutableListOf<Handled>()
        val timers = service {
            on(Notes) { payload ->
                note(payload)
            }
        }
        timers.start()
        repeat(40) { timers.schedule(Notes, "$it", Note("$it"), after = (it * 7 % 40).milliseconds) }
        repeat(40) {
            val handled = log.next()
            times += handled
            val lead = handled.due - timers.now()
            if (lead > Duration.ZERO) early += lead
        }
        early shouldBe emptyList()
        times.map { it.id.toInt() } shouldContainExactlyInAnyOrder (0 until 40).toList()
    }

    behaviour("a worker that sleeps for a later timer is woken for an earlier one, of another process") {
        val worker = notes()
        worker.start()
        worker.schedule(Notes, "late", Note("late"), after = 1.hours)
        val other = notes()
        repeat(5) {
            other.schedule(Notes, "early-$it", Note("x"), after = SOON)
            log.next().id shouldBe "early-$it"
        }
        soon { worker.count(Notes) shouldBe 1 }
    }

    behaviour("what is overdue comes oldest first") {
        val timers = notes { concurrency = 1 }
        val now = timers.now()
        timers.scheduleAll(Notes, List(50) { NewTimer("$it", Note("x"), at = now - (it * 37 % 50).seconds) })
        timers.start()
        List(50) { log.next().due }.shouldBeSorted()
    }

    behaviour("each timer goes to one of the workers") {
        val workers = List(4) { notes() }
        workers.forEach { it.start() }
        workers[0].scheduleAll(Notes, List(400) { NewTimer("$it", Note("x"), (it % 40).milliseconds) })
        List(400) { log.next().id.toInt() } shouldContainExactlyInAnyOrder (0 until 400).toList()
        soon { workers[1].count(Notes) shouldBe 0 }
        log.nothingMore()
    }

    behaviour("one pass handles what is ready and returns") {
        val timers = notes()
        timers.handleReady().total shouldBe 0
        timers.schedule(Notes, "later", Note("x"), after = 1.hours)
        timers.scheduleAll(Notes, List(150) { NewTimer("$it", Note("x"), Duration.ZERO) })
        val handled = timers.handleReady()
        handled.succeeded shouldBe 150
        handled.total shouldBe 150
        timers.count(Notes) shouldBe 1
        timers.handleReady().total shouldBe 0
    }

    behaviour("workers of different topics leave each other's timers alone") {
        val one = notes()
        val two = service { on(Others, handler = { note(it) }) }
        one.start()
        two.start()
        val both = service { declare(Notes, Others) }
        repeat(10) {
            both.schedule(Notes, "n$it", Note("x"), after = SOON)
            both.schedule(Others, "o$it", Note("x"), after = SOON)
        }
        List(20) { log.next().id }.sorted() shouldBe (List(10) { "n$it" } + List(10) { "o$it" }).sorted()
    }

    behaviour("a service runs once at a time, and not without handlers") {
        val timers = notes()
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = 0.seconds)
        log.next()
        shouldThrow<IllegalStateException> { timers.run() }
        shouldThrow<IllegalStateException> { service { declare(Notes) }.run() }
    }
}
