package io.signalbox.timers.behaviour

import io.kotest.matchers.collections.shouldBeStrictlyIncreasing
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.timers.Misfire
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Timers that come again and again. The calendar is the business of `RecurrenceSpec`. */
fun TimersBehaviour.recurring() {
    behaviour("each occurrence of a fixed rate is handled once, however many workers there are") {
        val workers = List(3) { notes() }
        workers.map { it.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedRate(20.milliseconds, Misfire.CATCH_UP)) }
            .count { it } shouldBe 1
        workers.forEach { it.start() }
        val dues = List(25) { log.next().due }
        dues.shouldBeStrictlyIncreasing()
        dues.zipWithNext { a, b -> b - a }.distinct() shouldBe listOf(20.milliseconds)
    }

    behaviour("a fixed delay begins again after the end") {
        val timers = notes()
        timers.start()
        timers.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedDelay(15.milliseconds))
        List(4) { log.next() }.run {
            map { it.attempt }.distinct() shouldBe listOf(1)
            map { it.due }.shouldBeStrictlyIncreasing()
        }
        timers.cancel(Notes, "tick") shouldBe true
        timers.get(Notes, "tick") shouldBe null
    }

    behaviour("setting the same recurring timer again leaves it alone; another one replaces it") {
        val timers = notes()
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(1.hours)) shouldBe true
        val due = timers.get(Notes, "a").shouldNotBeNull().due
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(1.hours)) shouldBe false
        timers.get(Notes, "a").shouldNotBeNull().run {
            this.due shouldBe due
            recurrence shouldBe Recurrence.fixedRate(1.hours)
        }
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(2.hours)) shouldBe true
        timers.scheduleRecurring(Notes, "a", Note("y"), Recurrence.fixedRate(2.hours)) shouldBe true
        timers.count(Notes) shouldBe 1
    }

    behaviour("missed occurrences come once, or all of them") {
        val timers = notes()
        val start = timers.now() - 95.minutes
        timers.scheduleRecurring(Notes, "once", Note("x"), Recurrence.fixedRate(10.minutes), first = start)
        timers.start()
        log.next().due.toEpochMilli() shouldBe start.toEpochMilli() + if (start.nano % 1_000_000 > 0) 1 else 0
        soon { (timers.get(Notes, "once").shouldNotBeNull().run { state == Timer.State.WAITING && due > timers.now() }) shouldBe true }
        log.nothingMore()
        timers.scheduleRecurring(Notes, "all", Note("x"), Recurrence.fixedRate(10.minutes, Misfire.CATCH_UP), first = start)
        List(10) { log.next() }.map { it.id }.distinct() shouldBe listOf("all")
    }

    behaviour("a paused timer does not come until it is resumed, for its next occurrence") {
        val timers = notes()
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(30.milliseconds))
        timers.start()
        log.next()
        timers.pause(Notes, "a") shouldBe true
        timers.get(Notes, "a").shouldNotBeNull().state shouldBe Timer.State.PAUSED
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(30.milliseconds)) shouldBe false
        val pausedAt = timers.now().toEpochMilli() * 1000 + 999

        // A handler of what was claimed before may still be on its way. Tokens are moments of the server's clock.
        suspend fun nextOfLater(): Handled {
            while (true) log.next().let { if (it.token > pausedAt) return it }
        }
        timers.schedule(Notes, "b", Note("x"), after = SOON * 2)
        nextOfLater().id shouldBe "b"
        val resumedAt = timers.now()
        timers.resume(Notes, "a") shouldBe true
        nextOfLater().run {
            id shouldBe "a"
            due shouldBeGreaterThanOrEqualTo resumedAt
        }
    }

    behaviour("an occurrence that fails for good is given up, and the next one comes") {
        val timers = service {
            on(Notes, {
                attempts = 2
                backoff = 1.milliseconds
            }) {
                note(it)
                error("fails")
            }
        }
        timers.start()
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(40.milliseconds))
        List(6) { log.next() }.map { it.attempt } shouldBe listOf(1, 2, 1, 2, 1, 2)
        timers.deadTimers().timers shouldBe emptyList()
    }

    behaviour("a recurring timer outlives its workers") {
        val first = notes()
        val job = first.start()
        first.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(20.milliseconds))
        val before = log.next().due
        job.cancel()
        job.join()
        while (log.handled.tryReceive().isSuccess) Unit
        notes().start()
        (log.next().due > before) shouldBe true
    }
}
