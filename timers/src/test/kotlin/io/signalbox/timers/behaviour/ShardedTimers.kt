package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Timers that are spread over several hash slots. */
fun TimersBehaviour.sharding() {
    behaviour("shards do not show, except in the keys") {
        val timers = notes { shards = 5 }
        val at = Instant.ofEpochMilli(4_000_000_000_000)
        timers.scheduleAll(Notes, List(40) { NewTimer("%02d".format(it), Note("x"), at = at + it.minutes) })
        timers.count(Notes) shouldBe 40
        val first = timers.list(Notes, limit = 30)
        first.timers.map { it.id } shouldBe List(30) { "%02d".format(it) }
        timers.list(Notes, limit = 30, after = first.next).timers.map { it.id } shouldBe List(10) { "%02d".format(30 + it) }
        timers.cancel(Notes, "07") shouldBe true
        val workers = List(2) {
            notes {
                shards = 5
                concurrency = 2
            }
        }
        workers.forEach { it.start() }
        timers.scheduleAll(Notes, List(200) { NewTimer("now-$it", Note("x"), (it % 50).milliseconds) })
        List(200) { log.next().id } shouldContainExactlyInAnyOrder List(200) { "now-$it" }
        soon { timers.count(Notes) shouldBe 39 }
        notes { shards = 5 }.handleReady().total shouldBe 0
    }

    behaviour("processes that disagree on the number of shards are told so") {
        notes { shards = 2 }.schedule(Notes, "a", Note("x"), after = 1.hours)
        shouldThrow<IllegalArgumentException> { notes { shards = 3 }.count(Notes) }.message shouldContain "previousShards = 2"
    }

    behaviour("the number of shards can be changed: former shards are drained, and nothing is lost or doubled") {
        val before = notes { shards = 1 }
        before.scheduleAll(Notes, List(30) { NewTimer("$it", Note("old"), 1.hours) })
        val after = notes {
            shards = 4
            previousShards = 1
        }
        after.count(Notes) shouldBe 30
        after.get(Notes, "3").shouldNotBeNull().payload shouldBe Note("old")
        List(5) { after.cancel(Notes, "$it") }.distinct() shouldBe listOf(true)
        (5 until 10).forEach { after.schedule(Notes, "$it", Note("new"), after = Duration.ZERO) }
        after.count(Notes) shouldBe 25
        after.start()
        List(5) { log.next().text }.distinct() shouldBe listOf("new")
        before.scheduleAll(Notes, List(3) { NewTimer("late-$it", Note("from an old process"), Duration.ZERO) })
        repeat(3) { log.next() }
        soon { after.count(Notes) shouldBe 20 }
        log.nothingMore()
    }

    behaviour("a recurring timer moves to its new shard with its next occurrence, its schedule, count, payload and metadata with it") {
        val before = notes { shards = 1 }
        val start = before.now() - 5.milliseconds
        val ids = List(12) { "tick-$it" }
        for (id in ids) {
            before.scheduleRecurring(
                Notes,
                id,
                Note(id),
                Recurrence.fixedRate(1.hours).times(3),
                first = start,
                metadata = mapOf("k" to id),
            )
        }
        val after = notes {
            shards = 4
            previousShards = 1
        }
        after.handleReady().succeeded shouldBe 12
        List(12) { log.next().text } shouldContainExactlyInAnyOrder ids

        // Without the former number: what has not moved is not looked for.
        val later = notes { shards = 4 }
        for (id in ids) {
            later.get(Notes, id).shouldNotBeNull().run {
                payload shouldBe Note(id)
                recurrence shouldBe Recurrence.fixedRate(1.hours).times(3)
                metadata shouldBe mapOf("k" to id)
                due.toEpochMilli() shouldBe start.toEpochMilli() + 3_600_000 + if (start.nano % 1_000_000 > 0) 1 else 0
            }
        }
        later.count(Notes) shouldBe 12
        // The second and third occurrence, wherever it is.
        repeat(2) {
            for (id in ids) later.runNow(Notes, id) shouldBe true
            later.handleReady().succeeded shouldBe 12
        }
        later.count(Notes) shouldBe 0
        List(24) { log.next() }
        log.nothingMore()
    }
}
