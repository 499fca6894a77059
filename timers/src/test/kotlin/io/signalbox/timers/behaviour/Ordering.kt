package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.Timers
import io.signalbox.timers.Topic
import io.signalbox.timers.plus
import io.signalbox.timers.rawTopic
import io.signalbox.timers.topic
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** In which order timers are taken and listed, and which topics there are. */
fun TimersBehaviour.ordering() {
    suspend fun <T> Timers.everything(
        topic: Topic<T>,
        limit: Int,
    ): List<String> {
        val ids = mutableListOf<String>()
        var cursor: String? = null
        do {
            val page = list(topic, limit = limit, after = cursor)
            ids += page.timers.map { it.id }
            cursor = page.next
        } while (cursor != null)
        return ids
    }

    behaviour("timers of one millisecond come in the order in which they were set, 4096 of them") {
        val timers = notes { concurrency = 1 }
        val at = timers.now()
        val ids = List(4096) { "job-${it + 1}" }
        for (chunk in ids.chunked(1000)) timers.scheduleAll(Notes, chunk.map { NewTimer(it, Note("x"), at = at) })
        timers.everything(Notes, limit = 999) shouldBe ids
        timers.schedule(Notes, "job-7", Note("x"), at = at + 1.milliseconds)
        timers.start()
        List(4096) { log.next().id } shouldBe ids - "job-7" + "job-7"
    }

    behaviour("what was set again comes behind the others of its millisecond") {
        val timers = notes()
        val at = Instant.ofEpochMilli(4_000_000_000_000)
        for (id in listOf("c", "b", "a", "b")) timers.schedule(Notes, id, Note("x"), at = at)
        timers.everything(Notes, limit = 2) shouldBe listOf("c", "a", "b")
    }

    behaviour("timers far beyond the exact places are due when they are, and listed once each") {
        val timers = notes()
        val at = Instant.parse("9999-12-31T23:59:59.999Z")
        val ids = List(100) { "%02d".format(it) }
        timers.scheduleAll(Notes, ids.map { NewTimer(it, Note("x"), at = at) })
        timers.everything(Notes, limit = 7) shouldBe ids
        timers.get(Notes, "99").shouldNotBeNull().due shouldBe at
    }

    behaviour("ids of all kinds of letters are paged once each, by their bytes, over shards") {
        val timers = service {
            on(Notes) {}
            shards = 4
        }
        val at = Instant.parse("9999-12-31T23:59:59.999Z")
        val ids = List(120) { "${listOf("\uD83D\uDE00", "\uFF21", "\u00e9", "Z", "a", "\uD83D\uDE01\uFF22")[it % 6]}-$it" }
        timers.scheduleAll(Notes, ids.map { NewTimer(it, Note("x"), at = at) })
        for (limit in listOf(3, 10, 1000)) {
            timers.everything(Notes, limit).run {
                size shouldBe ids.size
                toSet() shouldBe ids.toSet()
            }
        }
    }

    behaviour("setting a recurring timer to fire once is refused, and changes nothing else of the request") {
        val timers = notes()
        timers.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedRate(1.hours))
        val before = timers.get(Notes, "tick").shouldNotBeNull()
        shouldThrow<IllegalStateException> { timers.schedule(Notes, "tick", Note("y"), after = 1.hours) }.message shouldContain "recurs"
        shouldThrow<IllegalStateException> {
            timers.scheduleAll(Notes, listOf("a", "tick", "b").map { NewTimer(it, Note("y"), 1.hours) })
        }
        timers.get(Notes, "tick").shouldNotBeNull().run {
            due shouldBe before.due
            payload shouldBe Note("x")
            recurrence shouldBe before.recurrence
        }
        timers.pause(Notes, "tick")
        shouldThrow<IllegalStateException> { timers.schedule(Notes, "tick", Note("y"), after = 1.hours) }
        timers.cancel(Notes, "tick") shouldBe true
        timers.schedule(Notes, "tick", Note("y"), after = 1.hours)
        timers.get(Notes, "tick").shouldNotBeNull().recurrence shouldBe null
    }

    behaviour("paused timers are listed and counted") {
        val timers = notes()
        timers.scheduleAll(Notes, List(5) { NewTimer("$it", Note("$it"), 1.hours) })
        for (id in listOf("3", "1", "4")) {
            timers.pause(Notes, id) shouldBe true
        }
        timers.count(Notes) shouldBe 2
        timers.countPaused(Notes) shouldBe 3
        val first = timers.listPaused(Notes, limit = 2)
        val all = first.timers + timers.listPaused(Notes, limit = 2, after = first.next).timers
        all.map { it.id }.sorted() shouldBe listOf("1", "3", "4")
        all.map { it.state }.distinct() shouldBe listOf(Timer.State.PAUSED)
        timers.deadTimers().timers shouldBe emptyList()
        timers.resume(Notes, "3") shouldBe true
        timers.countPaused(Notes) shouldBe 2
        timers.cancel(Notes, "1") shouldBe true
        timers.countPaused(Notes) shouldBe 1
    }

    behaviour("a topic that nobody knows is a typing error, one that the code dropped is not") {
        service { declare(Others) }.schedule(Others, "old", Note("kept"), after = 1.hours)
        val timers = notes()
        val typo = topic<Note>("notse")
        for (call in listOf<suspend () -> Any?>(
            { timers.cancel(typo, "a") },
            { timers.get(typo, "a") },
            { timers.count(typo) },
            { timers.list(typo) },
            { timers.pause(typo, "a") },
            { timers.resume(typo, "a") },
            { timers.listPaused(typo) },
            { timers.requeue("notse", "a") },
            { timers.discard("notse", "a") },
            { timers.deadTimers("notse") },
            { timers.pauseTopic(typo) },
        )) {
            shouldThrow<IllegalArgumentException> { call() }.message shouldContain "'notse' is unknown"
        }
        val dropped = rawTopic("others")
        timers.list(dropped).timers.map { String(it.payload) } shouldBe listOf("""{"text":"kept"}""")
        timers.get(Others, "old").shouldNotBeNull().payload shouldBe Note("kept")
        timers.cancel(dropped, "old") shouldBe true
        timers.count(dropped) shouldBe 0
        val failing = service { on(Others, { attempts = 1 }) { error("fails") } }
        failing.schedule(Others, "dead", Note("x"), after = Duration.ZERO)
        failing.handleReady().dead shouldBe 1
        timers.deadTimers("others").timers.map { it.id } shouldBe listOf("dead")
        timers.discard("others", "dead") shouldBe true
        timers.discard("others", "dead") shouldBe false
        timers.deadTimers("others").timers shouldBe emptyList()
    }
}
