package io.signalbox.timers.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Signalbox
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timers
import io.signalbox.timers.TimersSettings
import io.signalbox.timers.behaviour.Note
import io.signalbox.timers.behaviour.Notes
import io.signalbox.timers.minus
import io.signalbox.timers.plus
import io.signalbox.timers.timerRouter
import io.signalbox.timers.topic
import java.time.Instant
import java.time.ZoneId
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** What cannot be meant is refused with a text that helps, before anything is written. */
class TimersBadInputSpec : FunSpec({
    val signalbox = Signalbox.inMemory()
    var count = 0
    fun service(configure: TimersSettings<Unit>.() -> Unit = {}) =
        Timers(signalbox) {
            name = "service-${count++}"
            on(Notes) {}
            configure()
        }

    fun refusal(configure: TimersSettings<Unit>.() -> Unit) = shouldThrow<IllegalArgumentException> {
        service(configure)
    }.message.shouldNotBeNull()

    test("ids and topics") {
        val timers = service()
        val bad = listOf("", " ", "{", "a}b", "a\u0000", "a\nb", "a\tb", "\uD800", "\uDC00x", "x".repeat(513), "\u00e4".repeat(257))
        for (id in bad) {
            withClue("'${id.take(20)}'") {
                shouldThrow<IllegalArgumentException> { timers.schedule(Notes, id, Note("x"), after = 1.seconds) }.message shouldContain
                    "id of a timer"
                shouldThrow<IllegalArgumentException> { timers.cancel(Notes, id) }
                shouldThrow<IllegalArgumentException> { topic<Note>(id) }.message shouldContain "name of a topic"
            }
        }
        timers.count(Notes) shouldBe 0
        for (id in listOf(
            "x".repeat(
                512,
            ),
            ":", "--", "*", "%1", "\\", "a b", "\uD83D\uDE00", "\u202e", "e\u0301", "\u00e9", "state", "\"", "'",
        )) {
            timers.schedule(Notes, id, Note(id), after = 1.days)
            timers.get(Notes, id).shouldNotBeNull().payload shouldBe Note(id)
        }
        timers.count(Notes) shouldBe 14
    }

    test("spans and moments") {
        val timers = service()
        for (after in listOf((-1).milliseconds, (-1).nanoseconds, Duration.INFINITE, -Duration.INFINITE, (400_000 * 365).days)) {
            shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "a", Note("x"), after = after) }.message shouldContain "after"
        }
        shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "a", Note("x"), at = Instant.MAX) }
        shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "a", Note("x"), at = Instant.parse("+10000-01-01T00:00:00Z")) }
        timers.count(Notes) shouldBe 0
        timers.schedule(Notes, "a", Note("x"), at = Instant.MIN)
        timers.schedule(Notes, "b", Note("x"), at = Instant.parse("1969-07-20T20:17:40Z"))
        timers.schedule(Notes, "c", Note("x"), at = Instant.parse("9999-12-31T23:59:59Z"))
        timers.schedule(Notes, "d", Note("x"), after = 1.nanoseconds)
        timers.list(Notes).timers.map { it.id } shouldBe listOf("a", "b", "d", "c")
    }

    test("payloads") {
        val timers = service { maxPayloadBytes = 100 }
        timers.schedule(Notes, "a", Note("x".repeat(89)), after = 1.days)
        shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "b", Note("x".repeat(90)), after = 1.days) }.message shouldContain
            "has 101 bytes, more than maxPayloadBytes"
        for (half in listOf("x\uD83D", "\uDE00x", "\uDE00\uD83D")) {
            shouldThrow<IllegalArgumentException> { timers.schedule(Notes, "b", Note(half), after = 1.days) }.message shouldContain
                "lone surrogate"
        }
        timers.get(Notes, "b") shouldBe null
        timers.schedule(Notes, "c", Note("\u0000\n\uD83D\uDE00"), after = 1.days)
        timers.get(Notes, "c").shouldNotBeNull().payload shouldBe Note("\u0000\n\uD83D\uDE00")
    }

    test("settings of a service") {
        refusal { concurrency = 0 } shouldContain "concurrency must be 1 to 10000, but was 0"
        refusal { concurrency = 10_001 }
        refusal { takeoverAfter = Duration.ZERO } shouldContain "takeoverAfter"
        refusal { takeoverAfter = 99.milliseconds }
        refusal { takeoverAfter = Duration.INFINITE }
        refusal { safetyCheck = 999.milliseconds } shouldContain "safetyCheck"
        refusal { safetyCheckJitter = 0.0..1.0 } shouldContain "safetyCheckJitter"
        refusal { safetyCheckJitter = 2.0..1.0 }
        refusal { safetyCheckJitter = Double.NaN..1.0 }
        refusal { drainTimeout = (-1).seconds } shouldContain "drainTimeout"
        refusal { maxPayloadBytes = 0 } shouldContain "maxPayloadBytes"
        refusal { shards = 0 } shouldContain "shards"
        refusal { shards = 257 }
        refusal { previousShards = 0 } shouldContain "previousShards"
        refusal { name = "a{b" } shouldContain "name of a service"
        refusal { timelineKey = payloadsKey } shouldContain "must differ"
        refusal { timelineKey = "marks" } shouldContain "another kind of key"
        refusal { timelineKey = "" }
    }

    test("settings of a topic") {
        fun bad(settings: io.signalbox.timers.TopicSettings.() -> Unit) =
            refusal { on(topic<Note>("own"), settings) {} } shouldContain "of topic 'own' must"
        bad { attempts = 0 }
        bad { backoff = (-1).seconds }
        bad { backoff = Duration.INFINITE }
        bad { maxBackoff = Duration.INFINITE }
        bad { maxBackoff = 999.milliseconds }
        bad { backoffFactor = 0.9 }
        bad { backoffFactor = Double.NaN }
        bad { backoffJitter = 1.1 }
        bad { timeout = Duration.ZERO }
        bad { concurrency = 0 }
    }

    test("recurrences") {
        for (span in listOf(Duration.ZERO, (-1).seconds, Duration.INFINITE)) {
            shouldThrow<IllegalArgumentException> { Recurrence.fixedRate(span) }
            shouldThrow<IllegalArgumentException> { Recurrence.fixedDelay(span) }
        }
        for (expression in listOf("", "x", "* * *", "61 * * * *", "* * * * * * *", "0 0 31 2")) {
            shouldThrow<IllegalArgumentException> { Recurrence.cron(expression) }.message shouldContain "cron expression"
        }
        shouldThrow<IllegalArgumentException> {
            service().scheduleRecurring(Notes, "a", Note("x"), Recurrence.cron("0 0 31 2 *", ZoneId.of("UTC")))
        }.message shouldContain "never occurs"
    }

    test("a topic with two handlers: the text names both places") {
        val one = timerRouter<Unit> { on(Notes) {} }
        val two = timerRouter<Unit> { on(topic<Note>("notes")) {} }
        val text = shouldThrow<IllegalArgumentException> {
            timerRouter<Unit> {
                include(one)
                include(two)
            }
        }.message.shouldNotBeNull()
        Regex("TimersBadInputSpec.kt:\\d+").findAll(text).map { it.value }.toSet().size shouldBe 2
        shouldThrow<IllegalArgumentException> { timerRouter<Unit> { repeat(2) { on(Notes) {} } } }.message shouldContain "two handlers"
        // The same router twice is the same handler.
        timerRouter<Unit> {
            include(one)
            include(one)
        }
    }
})
