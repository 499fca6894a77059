package io.signalbox.timers.behaviour

import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import io.signalbox.timers.Timer
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import io.signalbox.timers.Timers
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel

/** What happens to a timer while its handler runs. */
fun TimersBehaviour.settling() {
    behaviour("a timer that is set anew while its handler runs survives the handler's end") {
        val gate = CompletableDeferred<Unit>()
        val events = Channel<TimerEvent>(Channel.UNLIMITED)
        val timers = service {
            on(Notes) {
                note(it)
                if (it.text == "first") gate.await()
            }
            listener = TimerListener { events.trySend(it) }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("first"), after = Duration.ZERO)
        log.next()
        timers.schedule(Notes, "a", Note("second"), after = 1.hours)
        gate.complete(Unit)
        events.receive().shouldBeInstanceOf<TimerEvent.Fired>()
        events.receive().shouldBeInstanceOf<TimerEvent.Superseded>()
        timers.get(Notes, "a").shouldNotBeNull().run {
            payload shouldBe Note("second")
            attempts shouldBe 0
            state shouldBe Timer.State.WAITING
        }
    }

    behaviour("a timer that is set anew for now is handled although its former handler still runs") {
        val gate = CompletableDeferred<Unit>()
        val timers = service {
            on(Notes) {
                note(it)
                if (it.text == "first") gate.await()
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("first"), after = Duration.ZERO)
        val first = log.next()
        timers.schedule(Notes, "a", Note("second"), after = Duration.ZERO)
        val second = log.next()
        second.text shouldBe "second"
        second.attempt shouldBe 1
        (second.token > first.token) shouldBe true
        gate.complete(Unit)
        soon { timers.count(Notes) shouldBe 0 }
        log.nothingMore()
    }

    behaviour("a handler can set its own timer anew") {
        val timers = CompletableDeferred<Timers>()
        val service = service {
            on(Notes) {
                note(it)
                val count = it.text.toInt()
                if (count < 5) timers.await().schedule(Notes, id, Note("${count + 1}"), after = 10.milliseconds)
            }
        }
        timers.complete(service)
        service.start()
        service.schedule(Notes, "a", Note("1"), after = Duration.ZERO)
        List(5) { log.next().text } shouldBe listOf("1", "2", "3", "4", "5")
        soon { service.count(Notes) shouldBe 0 }
    }

    behaviour("a timer that is cancelled while its handler runs stays cancelled when the handler fails") {
        val gate = CompletableDeferred<Unit>()
        val timers = service {
            on(Notes, { backoff = Duration.ZERO }) {
                note(it)
                gate.await()
                error("fails")
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        log.next()
        timers.get(Notes, "a").shouldNotBeNull().state shouldBe Timer.State.HANDLING
        timers.cancel(Notes, "a") shouldBe true
        gate.complete(Unit)
        timers.schedule(Notes, "b", Note("x"), after = SOON)
        log.next().id shouldBe "b"
        timers.get(Notes, "a") shouldBe null
    }

    behaviour("a timer that is paused while its handler runs stays paused") {
        val gate = CompletableDeferred<Unit>()
        val timers = service {
            on(Notes) {
                note(it)
                gate.await()
            }
        }
        timers.start()
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        log.next()
        timers.pause(Notes, "a") shouldBe true
        timers.pause(Notes, "a") shouldBe false
        gate.complete(Unit)
        timers.get(Notes, "a").shouldNotBeNull().state shouldBe Timer.State.PAUSED
        timers.resume(Notes, "a") shouldBe true
        timers.resume(Notes, "a") shouldBe false
        log.next().id shouldBe "a"
    }
}
