package io.signalbox.timers.behaviour

import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.timers.DeadTimer
import io.signalbox.timers.topic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.cancelAndJoin
import kotlinx.serialization.Serializable

@Serializable
private data class NewerNote(val message: String)

/** The same name as [Notes], as a deployment of another version would have it. */
private val NewerNotes = topic<NewerNote>("notes")

/** Timers that nobody can handle are kept, visibly, until somebody can. */
fun TimersBehaviour.parking() {
    behaviour("what cannot be decoded is parked, and handled once somebody can decode it") {
        val newer = service { declare(NewerNotes) }
        val older = notes()
        val job = older.start()
        newer.schedule(NewerNotes, "a", NewerNote("secret"), after = Duration.ZERO)
        newer.schedule(NewerNotes, "b", NewerNote("secret"), after = Duration.ZERO)
        older.schedule(Notes, "c", Note("fine"), after = Duration.ZERO)
        log.next().id shouldBe "c"
        val parked = soon { older.deadTimers().timers.also { it shouldHaveSize 2 } }
        parked.forEach {
            it.kind shouldBe DeadTimer.Kind.UNDECODABLE
            it.reason shouldContain "Exception"
        }
        soon { older.count(Notes) shouldBe 0 }
        // Until it has ended it may take the timer again.
        job.cancelAndJoin()
        val updated = service { on(NewerNotes) { note(Note(it.message)) } }
        updated.start()
        updated.requeue("notes", "a") shouldBe true
        log.next().text shouldBe "secret"
        updated.discard("notes", "b") shouldBe true
        updated.deadTimers().timers shouldBe emptyList()
    }

    behaviour("a payload that is nested without end is parked like any other") {
        val raw = topic<String>(
            "notes",
            object : io.signalbox.timers.TimerCodec<String> {
                override fun encode(payload: String) = payload.toByteArray()

                override fun decode(bytes: ByteArray) = String(bytes)
            },
        )
        val writer = service { declare(raw) }
        val timers = notes()
        timers.start()
        val bad = listOf("", "null", "[".repeat(10_000), "{\"text\":1}", "{\"text\":", "\u0000", "{\"text\":{\"text\":")
        bad.forEachIndexed { index, payload -> writer.schedule(raw, "$index", payload, after = Duration.ZERO) }
        timers.schedule(Notes, "fine", Note("x"), after = SOON)
        log.next().id.let { if (it == "3") log.next().id else it } shouldBe "fine"
        soon { timers.count(Notes) shouldBe 0 }
        timers.deadTimers().timers.size shouldBe timers.deadTimers("notes").timers.size
    }

    behaviour("timers of a topic that nobody handles are visible, and taken as soon as somebody does") {
        val writer = service {
            declare(Others)
            takeoverAfter = 100.milliseconds
        }
        val worker = notes()
        worker.start()
        writer.schedule(Others, "a", Note("x"), after = Duration.ZERO)
        worker.schedule(Notes, "b", Note("x"), after = Duration.ZERO)
        log.next().id shouldBe "b"
        val unknown = soon { writer.deadTimers().timers.single() }
        unknown.kind shouldBe DeadTimer.Kind.UNKNOWN_TOPIC
        unknown.topic shouldBe "others"
        unknown.attempts shouldBe 0
        writer.count(Others) shouldBe 1
        service { on(Others, handler = { note(it) }) }.start()
        log.next().id shouldBe "a"
        soon { writer.deadTimers().timers shouldBe emptyList() }
    }
}
