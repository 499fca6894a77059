package io.signalbox.timers.behaviour

import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.timers.Recurrence
import io.signalbox.timers.Timer
import io.signalbox.timers.TimerCodec
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.topic
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds

/** Reads nothing: what a worker of an older version makes of a newer payload. */
private val Unreadable =
    topic(
        "notes",
        object : TimerCodec<String> {
            override fun encode(payload: String) = payload.toByteArray()

            override fun decode(bytes: ByteArray): String = error("from the future")
        },
    )

/** What a service that sets its recurring timers at every start wants of them. */
fun TimersBehaviour.deploying() {
    behaviour("another payload is taken over without beginning the interval anew") {
        val timers = notes()
        timers.scheduleRecurring(Notes, "a", Note("0"), Recurrence.fixedRate(1.hours)) shouldBe true
        val due = timers.get(Notes, "a").shouldNotBeNull().due
        repeat(20) { timers.scheduleRecurring(Notes, "a", Note("${it + 1}"), Recurrence.fixedRate(1.hours)) shouldBe true }
        timers.get(Notes, "a").shouldNotBeNull().run {
            this.due shouldBe due
            payload shouldBe Note("20")
        }
        timers.scheduleRecurring(Notes, "a", Note("20"), Recurrence.fixedRate(1.hours)) shouldBe false
    }

    behaviour("another payload or recurrence leaves a paused timer paused") {
        val timers = notes()
        timers.scheduleRecurring(Notes, "a", Note("x"), Recurrence.fixedRate(1.hours))
        timers.pause(Notes, "a")
        timers.scheduleRecurring(Notes, "a", Note("y"), Recurrence.fixedRate(1.hours)) shouldBe true
        timers.get(Notes, "a").shouldNotBeNull().run { Pair(state, payload) } shouldBe Pair(Timer.State.PAUSED, Note("y"))
        timers.scheduleRecurring(Notes, "a", Note("y"), Recurrence.fixedRate(2.hours)) shouldBe true
        timers.get(Notes, "a").shouldNotBeNull().run { Pair(state, recurrence) } shouldBe
            Pair(Timer.State.PAUSED, Recurrence.fixedRate(2.hours))
        timers.resume(Notes, "a") shouldBe true
        timers.get(Notes, "a").shouldNotBeNull().state shouldBe Timer.State.WAITING
    }

    behaviour("what an old worker cannot decode comes again, and its next occurrence too") {
        val given = AtomicInteger()
        val newer = service {
            declare(Notes)
        }
        val older = service {
            on(Unreadable, {
                attempts = 2
                backoff = 1.milliseconds
            }) { error("was decoded") }
            listener = TimerListener { if (it is TimerEvent.Dead) given.incrementAndGet() }
        }
        newer.scheduleRecurring(Notes, "a", Note("new"), Recurrence.fixedRate(10.milliseconds))
        val old = older.start()
        soon { (given.get() >= 2) shouldBe true }
        newer.deadTimers().timers shouldBe emptyList()
        old.cancel()
        old.join()
        newer.scheduleRecurring(Notes, "a", Note("new"), Recurrence.fixedRate(10.milliseconds)) shouldBe false
        notes().start()
        log.next().text shouldBe "new"
    }
}
