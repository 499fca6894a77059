package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.ints.shouldBeLessThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.TimerInterceptor
import io.signalbox.timers.TimerMetadata
import io.signalbox.timers.Timers
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

/** What users of other schedulers look for. */
fun TimersBehaviour.expected() {
    behaviour("a timer can be told to run now; one that recurs keeps its schedule") {
        val timers = notes()
        timers.start()
        timers.schedule(Notes, "once", Note("x"), after = 1.hours)
        timers.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedRate(1.hours))
        val due = timers.get(Notes, "tick").shouldNotBeNull().due
        timers.runNow(Notes, "once") shouldBe true
        log.next().id shouldBe "once"
        soon { timers.get(Notes, "once") shouldBe null }
        timers.runNow(Notes, "tick") shouldBe true
        log.next().run {
            id shouldBe "tick"
            (this.due <= timers.now()) shouldBe true
        }
        soon { timers.get(Notes, "tick").shouldNotBeNull().run { Pair(state, this.due) } shouldBe Pair(Timer.State.WAITING, due) }
        timers.runNow(Notes, "none") shouldBe false
        timers.pause(Notes, "tick")
        timers.runNow(Notes, "tick") shouldBe false
    }

    behaviour("metadata travel from the setter to the handler, and on to what the handler sets") {
        val seen = CompletableDeferred<Map<String, String>>()
        val again = CompletableDeferred<Timers>()
        val timers = service {
            on(Notes) {
                if (it.text == "first") {
                    metadata shouldBe mapOf("tenant" to "acme", "trace" to "1")
                    context.handled.trySend(Handled(topic, id, it.text, attempt, due, fencingToken))
                    again.await().schedule(Notes, "second", Note("second"), after = Duration.ZERO)
                } else {
                    seen.complete(currentCoroutineContext()[TimerMetadata].shouldNotBeNull().entries)
                }
            }
        }
        again.complete(timers)
        withContext(TimerMetadata(mapOf("tenant" to "acme", "trace" to "0"))) {
            timers.schedule(Notes, "first", Note("first"), after = 10.milliseconds, metadata = mapOf("trace" to "1"))
        }
        timers.get(Notes, "first")?.metadata?.let { it shouldBe mapOf("tenant" to "acme", "trace" to "1") }
        timers.start()
        log.next().text shouldBe "first"
        seen.await() shouldBe mapOf("tenant" to "acme", "trace" to "1")
        timers.scheduleRecurring(Notes, "tick", Note("x"), Recurrence.fixedRate(1.hours), metadata = mapOf("k" to "v")) shouldBe true
        timers.get(Notes, "tick").shouldNotBeNull().run { Pair(metadata, payload) } shouldBe Pair(mapOf("k" to "v"), Note("x"))
        for (bad in listOf(
            mapOf("" to "x"),
            mapOf("a" to "x\ny"),
            mapOf("a\tb" to "x"),
            mapOf("a" to "\uD800"),
            mapOf("a" to "x".repeat(9000)),
        )) {
            shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "bad", Note("x"), after = 1.hours, metadata = bad) }
        }
    }

    behaviour("a backlog of one topic does not keep another one waiting") {
        val timers = service {
            concurrency = 4
            on(Notes, handler = { note(it) })
            on(Others, handler = { note(it) })
        }
        val now = timers.now()
        timers.scheduleAll(Notes, List(400) { NewTimer("$it", Note("backlog"), at = now - 1.hours) })
        timers.scheduleAll(Others, List(10) { NewTimer("$it", Note("fresh"), at = now - 1.seconds) })
        timers.start()
        val handled = List(410) { log.next().text }
        // All ten but those whose thread the system has put aside.
        handled.take(100).count { it == "fresh" } shouldBeGreaterThanOrEqual 8
    }

    behaviour("a timer of another topic overtakes a backlog of a thousand") {
        val timers = service {
            on(Notes) {
                note(it)
                delay(50.milliseconds)
            }
            on(Others, handler = { note(it) })
        }
        timers.scheduleAll(Notes, List(1000) { NewTimer("$it", Note("backlog"), after = Duration.ZERO) })
        timers.start()
        log.next()
        val begun = TimeSource.Monotonic.markNow()
        timers.schedule(Others, "fresh", Note("fresh"), after = Duration.ZERO)
        val before = generateSequence(0) { it + 1 }.first { log.next().text == "fresh" }
        println("a timer beside a backlog of 1000 x 50 ms waited ${begun.elapsedNow()}, for $before of them")
        // Its topic has half of the 64 places, as they get free; some turns are under way.
        before shouldBeLessThan 500
    }

    behaviour("with one place, topics take turns") {
        val timers = service {
            concurrency = 1
            on(Notes, handler = { note(it) })
            on(Others, handler = { note(it) })
        }
        val now = timers.now()
        timers.scheduleAll(Notes, List(20) { NewTimer("$it", Note("x"), at = now - 1.hours) })
        timers.scheduleAll(Others, List(20) { NewTimer("$it", Note("x"), at = now) })
        timers.start()
        List(40) { log.next().topic }.chunked(2).all { it.toSet().size == 2 } shouldBe true
    }

    behaviour("a topic can be paused as a whole") {
        val timers = service {
            on(Notes, handler = { note(it) })
            on(Others, handler = { note(it) })
        }
        timers.start()
        timers.pauseTopic(Notes) shouldBe true
        timers.pauseTopic(Notes) shouldBe false
        timers.pausedTopics() shouldBe setOf("notes")
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        timers.schedule(Others, "b", Note("x"), after = Duration.ZERO)
        log.next().id shouldBe "b"
        timers.schedule(Others, "c", Note("x"), after = Duration.ZERO)
        log.next().id shouldBe "c"
        timers.count(Notes) shouldBe 1
        timers.resumeTopic(Notes) shouldBe true
        timers.resumeTopic(Notes) shouldBe false
        log.next().id shouldBe "a"
        timers.pausedTopics() shouldBe emptySet()
    }

    behaviour("interceptors go around handlers, the first one outermost") {
        val steps = mutableListOf<String>()
        val timers = service {
            for (name in listOf("one", "two")) {
                intercept(
                    TimerInterceptor { timer, proceed ->
                        steps += "$name before ${timer.id}"
                        proceed()
                        steps += "$name after"
                    },
                )
            }
            intercept(TimerInterceptor { timer, proceed -> if (timer.id != "skipped") proceed() })
            on(Notes) { steps += "handler" }
        }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        timers.handleReady().succeeded shouldBe 1
        steps shouldBe listOf("one before a", "two before a", "handler", "two after", "one after")
        timers.schedule(Notes, "skipped", Note("x"), after = Duration.ZERO)
        timers.handleReady().succeeded shouldBe 1
        steps.count { it == "handler" } shouldBe 1
    }

    behaviour("a recurrence can have an end, and a number of occurrences") {
        val timers = notes()
        timers.start()
        timers.scheduleRecurring(Notes, "thrice", Note("x"), Recurrence.fixedRate(10.milliseconds).times(3))
        List(3) { log.next().id } shouldBe listOf("thrice", "thrice", "thrice")
        soon { timers.get(Notes, "thrice") shouldBe null }
        val start = timers.now() - 35.minutes
        val ending = Recurrence.fixedRate(10.minutes, io.signalbox.timers.Misfire.CATCH_UP).until(start + 21.minutes)
        timers.scheduleRecurring(Notes, "ends", Note("x"), ending, first = start)
        List(3) { log.next().id } shouldBe listOf("ends", "ends", "ends")
        soon { timers.get(Notes, "ends") shouldBe null }
        log.nothingMore()
        shouldThrow<IllegalArgumentException> {
            timers.scheduleRecurring(Notes, "over", Note("x"), Recurrence.fixedRate(1.hours).until(start))
        }
        // A deployment in between does not begin to count anew.
        timers.scheduleRecurring(Notes, "few", Note("x"), Recurrence.fixedRate(1.hours).times(2), first = start)
        log.next().id shouldBe "few"
        soon { timers.get(Notes, "few").shouldNotBeNull().state shouldBe Timer.State.WAITING }
        timers.scheduleRecurring(Notes, "few", Note("other"), Recurrence.fixedRate(1.hours).times(2)) shouldBe true
        timers.runNow(Notes, "few") shouldBe true
        log.next().text shouldBe "other"
        soon { timers.get(Notes, "few") shouldBe null }
    }

    behaviour("dead timers can be limited by number") {
        val timers = service {
            deadTimersPerTopic = 3
            on(Notes, { attempts = 1 }) {
                note(it)
                error("fails")
            }
        }
        timers.start()
        timers.schedule(Notes, "paused", Note("x"), after = 1.hours)
        timers.pause(Notes, "paused")
        repeat(10) {
            timers.schedule(Notes, "$it", Note("x"), after = Duration.ZERO)
            log.next().id shouldBe "$it"
        }
        soon { timers.deadTimers().timers.map { it.id } shouldContainExactlyInAnyOrder listOf("7", "8", "9") }
        timers.listPaused(Notes).timers shouldHaveSize 1
        timers.get(Notes, "0") shouldBe null
    }

    behaviour("dead timers can be limited by age") {
        val timers = service {
            deadTimersFor = 1.seconds
            on(Notes, { attempts = 1 }) { error("fails") }
            on(Others) {}
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        soon { timers.deadTimers().timers shouldHaveSize 1 }
        soon {
            timers.schedule(Others, "tick", Note("x"), after = Duration.ZERO)
            timers.get(Notes, "a") shouldBe null
        }
    }
}
