package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timer
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import java.time.Instant
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes

/** Looking at what is set. */
fun TimersBehaviour.listing() {
    behaviour("timers are listed by due time, page by page, also where many are due at the same moment") {
        val timers = notes()
        val at = Instant.ofEpochMilli(4_000_000_000_000)
        timers.scheduleAll(Notes, List(25) { NewTimer("m%02d".format(it), Note("same"), at = at) })
        timers.scheduleAll(Notes, List(10) { NewTimer("e$it", Note("early"), at = at - (it + 1).minutes) })
        val pages = mutableListOf<List<Timer<Note>>>()
        var cursor: String? = null
        do {
            val page = timers.list(Notes, limit = 10, after = cursor)
            pages += page.timers
            cursor = page.next
        } while (cursor != null)
        pages.map { it.size } shouldBe listOf(10, 10, 10, 5)
        pages.flatten().map { it.id } shouldBe List(10) { "e${9 - it}" } + List(25) { "m%02d".format(it) }
        pages[0][0].payload shouldBe Note("early")
    }

    behaviour("a page goes on where it was, though the last timer of the one before is gone") {
        val timers = notes()
        val at = Instant.ofEpochMilli(4_000_000_000_000)
        timers.scheduleAll(Notes, List(6) { NewTimer("$it", Note("x"), at = at) })
        val first = timers.list(Notes, limit = 3)
        timers.cancel(Notes, "2")
        timers.list(Notes, limit = 3, after = first.next).timers.map { it.id } shouldBe listOf("3", "4", "5")
    }

    behaviour("a list can be limited to a span of time") {
        val timers = notes()
        val at = Instant.ofEpochMilli(4_000_000_000_000)
        timers.scheduleAll(Notes, List(10) { NewTimer("$it", Note("x"), at = at + it.minutes) })
        timers.list(Notes, from = at + 3.minutes, until = at + 5.minutes).timers.map { it.id } shouldBe listOf("3", "4", "5")
        timers.list(Notes, from = at + 3.minutes + 1.milliseconds, until = at + 4.minutes).timers.map { it.id } shouldBe listOf("4")
        timers.list(Notes, from = at + 1.hours).timers shouldHaveSize 0
        shouldThrow<IllegalArgumentException> { timers.list(Notes, limit = 0) }
        shouldThrow<IllegalArgumentException> { timers.list(Notes, after = "nonsense") }
    }
}
