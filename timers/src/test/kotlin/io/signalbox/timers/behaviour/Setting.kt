package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timer
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import java.time.Instant
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll

/** Setting, setting anew, and cancelling. */
fun TimersBehaviour.setting() {
    behaviour("a timer is stored as it was set") {
        val timers = notes()
        val before = timers.now()
        timers.schedule(Notes, "a", Note("hello"), after = 1.hours)
        val timer = timers.get(Notes, "a").shouldNotBeNull()
        timer.payload shouldBe Note("hello")
        timer.state shouldBe Timer.State.WAITING
        timer.attempts shouldBe 0
        (timer.due - before).inWholeMilliseconds shouldBeGreaterThanOrEqual 1.hours.inWholeMilliseconds
        (timer.due <= timers.now() + 1.hours + 1.milliseconds) shouldBe true
        notes().get(Notes, "a").shouldNotBeNull().due shouldBe timer.due
    }

    behaviour("a timer at a moment is due at that moment") {
        val timers = notes()
        val at = Instant.parse("2099-12-31T23:59:59.999Z")
        timers.schedule(Notes, "a", Note("x"), at = at)
        timers.get(Notes, "a").shouldNotBeNull().due shouldBe at
        // Never early: a fraction of a millisecond is rounded up.
        timers.schedule(Notes, "a", Note("x"), at = Instant.ofEpochSecond(4_000_000_000, 1))
        timers.get(Notes, "a").shouldNotBeNull().due shouldBe Instant.ofEpochSecond(4_000_000_000, 1_000_000)
    }

    behaviour("the same id replaces payload and time, in another process too") {
        val here = notes()
        val there = notes()
        here.schedule(Notes, "a", Note("first"), after = 1.hours)
        there.schedule(Notes, "a", Note("second"), after = 2.hours)
        here.count(Notes) shouldBe 1
        here.get(Notes, "a").shouldNotBeNull().payload shouldBe Note("second")
        there.schedule(Notes, "a", Note("third"), after = 0.seconds)
        here.start()
        log.next().text shouldBe "third"
        soon { here.count(Notes) shouldBe 0 }
        log.nothingMore()
    }

    behaviour("the same id in another topic is another timer") {
        val timers = notes { on(Others, handler = { note(it) }) }
        timers.schedule(Notes, "a", Note("n"), after = 1.hours)
        timers.schedule(Others, "a", Note("o"), after = 1.hours)
        timers.cancel(Notes, "a") shouldBe true
        timers.get(Others, "a").shouldNotBeNull().payload shouldBe Note("o")
    }

    behaviour("cancelling tells whether there was one") {
        val timers = notes()
        timers.cancel(Notes, "a") shouldBe false
        timers.schedule(Notes, "a", Note("x"), after = SOON)
        timers.cancel(Notes, "a") shouldBe true
        timers.cancel(Notes, "a") shouldBe false
        timers.get(Notes, "a") shouldBe null
        timers.schedule(Notes, "b", Note("after"), after = SOON * 2)
        timers.start()
        log.next().id shouldBe "b"
        log.nothingMore()
    }

    behaviour("many timers are set at once, and many at the same time") {
        val timers = notes()
        timers.scheduleAll(Notes, List(1200) { NewTimer("bulk-$it", Note("$it"), 1.hours) })
        (1..300).map { async { timers.schedule(Notes, "one-$it", Note("$it"), after = 1.minutes) } }.awaitAll()
        timers.count(Notes) shouldBe 1500
        timers.scheduleAll(Notes, listOf(NewTimer("bulk-1", Note("old"), 1.hours), NewTimer("bulk-1", Note("new"), 1.hours)))
        timers.count(Notes) shouldBe 1500
        timers.get(Notes, "bulk-1").shouldNotBeNull().payload shouldBe Note("new")
        timers.scheduleAll(Notes, emptyList())
    }

    behaviour("settings of one coroutine take effect in their order") {
        val timers = notes()
        repeat(50) { timers.schedule(Notes, "a", Note("$it"), after = 1.hours) }
        timers.get(Notes, "a").shouldNotBeNull().payload shouldBe Note("49")
    }

    behaviour("a topic that the service does not know is refused, and nothing is written") {
        val timers = notes()
        val refusal = shouldThrow<IllegalArgumentException> { timers.schedule(Others, "a", Note("x"), after = 1.hours) }
        refusal.message shouldContain "'others' is unknown"
        refusal.message shouldContain "notes"
        notes { declare(Others) }.get(Others, "a") shouldBe null
    }
}
