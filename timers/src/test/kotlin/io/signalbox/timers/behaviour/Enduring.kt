package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.TimerListener
import io.signalbox.timers.TopicSettings
import java.time.Instant
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** An exception that must not be looked at. */
private class Untouchable(
    private val how: () -> Nothing,
) : RuntimeException() {
    override val message: String get() = how()

    override fun toString(): String = how()
}

private fun endless(depth: Int): Nothing = endless(depth + 1) as Nothing

/** What only one timer may suffer from, and what is refused because nobody can mean it. */
fun TimersBehaviour.enduring() {
    behaviour("a problem whose message throws, or overflows the stack, is its timer's alone") {
        val timers = service {
            on(Notes, { attempts = 1 }) {
                note(it)
                if (it.text == "throws") throw Untouchable { error("no message") }
                if (it.text == "overflows") throw Untouchable { endless(0) }
            }
        }
        val run = timers.start()
        for (text in listOf("throws", "overflows", "fine")) timers.schedule(Notes, text, Note(text), after = Duration.ZERO)
        List(3) { log.next().text } shouldContainExactlyInAnyOrder listOf("throws", "overflows", "fine")
        val dead = soon { timers.deadTimers().timers.also { it.size shouldBe 2 } }
        dead.forEach { it.reason shouldContain "Untouchable" }
        run.isActive shouldBe true
    }

    behaviour("a listener that throws an error, or fails to be shown, changes nothing") {
        val problems = listOf(OutOfMemoryError("made up"), StackOverflowError("made up"), Untouchable { error("no") }, LinkageError())
        var next = 0
        val timers = service {
            on(Notes, handler = { note(it) })
            listener = TimerListener { throw problems[next++ % problems.size] }
        }
        val run = timers.start()
        repeat(8) { timers.schedule(Notes, "$it", Note("x"), after = Duration.ZERO) }
        List(8) { log.next().id } shouldContainExactlyInAnyOrder List(8) { "$it" }
        soon { timers.count(Notes) shouldBe 0 }
        run.isActive shouldBe true
    }

    behaviour("a moment beyond every calendar is refused, and one before all of them is due at once") {
        val timers = notes()
        for (at in listOf(Instant.MAX, Instant.parse("+10000-01-01T00:00:00Z"))) {
            shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "a", Note("x"), at = at) }.message shouldContain "9999"
            shouldThrow<IllegalArgumentException> { timers.scheduleAll(Notes, listOf(NewTimer("a", Note("x"), at = at))) }
            shouldThrow<IllegalArgumentException> {
                timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(1.seconds), first = at)
            }.message shouldContain "first"
        }
        timers.count(Notes) shouldBe 0
        timers.schedule(Notes, "a", Note("x"), at = Instant.MIN)
        timers.list(Notes, from = Instant.MIN, until = Instant.MAX).timers.map { it.id } shouldBe listOf("a")
        timers.list(Notes, from = Instant.MAX).timers shouldBe emptyList()
        timers.handleReady().succeeded shouldBe 1
    }

    behaviour("a time limit of hundreds of years is none") {
        for (limit in listOf(Long.MAX_VALUE.nanoseconds, (Long.MAX_VALUE / 2).milliseconds)) {
            val timers = service { on(Notes, { timeout = limit }) { note(it) } }
            timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
            timers.handleReady().succeeded shouldBe 1
        }
    }

    behaviour("spans of hundreds of years are for ever, or refused, wherever they are given") {
        for (span in listOf(Long.MAX_VALUE.nanoseconds, Duration.INFINITE)) {
            val timers = service {
                drainTimeout = span
                deadTimersFor = span
                on(Notes, {
                    attempts = 1
                    timeout = span
                }) {
                    note(it)
                    if (it.text == "fails") error("on purpose")
                }
            }
            timers.schedule(Notes, "bad", Note("fails"), after = Duration.ZERO)
            timers.schedule(Notes, "good", Note("x"), after = Duration.ZERO)
            timers.handleReady().run { Pair(succeeded, dead) } shouldBe Pair(1, 1)
            // A turn that would remove what is dead for too long.
            timers.handleReady().total shouldBe 0
            timers.deadTimers().timers.map { it.id } shouldBe listOf("bad")
            shouldThrow<IllegalArgumentException> { Recurrence.fixedRate(span) }.message shouldContain "period must be at most"
            shouldThrow<IllegalArgumentException> { Recurrence.fixedDelay(span) }.message shouldContain "delay must be at most"
            shouldThrow<IllegalArgumentException> { service { takeoverAfter = span } }.message shouldContain "takeoverAfter must be at most"
            shouldThrow<IllegalArgumentException> { service { safetyCheck = span } }.message shouldContain "safetyCheck must be at most"
            timers.discard("notes", "bad") shouldBe true
        }
        // What can be a date is one, and what cannot is refused.
        val span = Long.MAX_VALUE.nanoseconds
        val slow = service {
            on(Notes, {
                backoff = span
                maxBackoff = span
            }) { error("on purpose") }
        }
        slow.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        slow.handleReady().retried shouldBe 1
        slow.schedule(Notes, "b", Note("x"), after = span)
        slow.scheduleAll(Notes, listOf(NewTimer("c", Note("x"), span)))
        slow.handleReady().total shouldBe 0
        slow.list(Notes).timers.map { it.next > Instant.parse("2200-01-01T00:00:00Z") } shouldBe List(3) { true }
        for (call in listOf<suspend () -> Any?>(
            { slow.schedule(Notes, "d", Note("x"), after = Duration.INFINITE) },
            { slow.scheduleAll(Notes, listOf(NewTimer("d", Note("x"), Duration.INFINITE))) },
            { slow.requeue("notes", "d", after = Duration.INFINITE) },
        )) {
            shouldThrow<IllegalArgumentException> { call() }.message shouldContain "after must be at most"
        }
        for (settings in listOf<TopicSettings.() -> Unit>({ backoff = Duration.INFINITE }, { maxBackoff = Duration.INFINITE })) {
            shouldThrow<IllegalArgumentException> { service { on(Notes, settings) {} } }.message shouldContain
                "ackoff of topic 'notes' must be"
        }
    }

    behaviour("one pass handles what was set just before it, at once or for the present moment") {
        val timers = notes()
        repeat(30) {
            timers.schedule(Notes, "zero", Note("x"), after = Duration.ZERO)
            timers.schedule(Notes, "now", Note("x"), at = timers.now())
            timers.handleReady().succeeded shouldBe 2
        }
    }
}
