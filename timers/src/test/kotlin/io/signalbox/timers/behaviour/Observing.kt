package io.signalbox.timers.behaviour

import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.timers.TimerEvent
import io.signalbox.timers.TimerListener
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.async
import kotlinx.coroutines.flow.take
import kotlinx.coroutines.flow.toList

/** Hearing of what happens. */
fun TimersBehaviour.observing() {
    behaviour("collectors and listeners hear of everything that happens to a timer") {
        val heard = mutableListOf<TimerEvent>()
        val timers = service {
            listener = TimerListener {
                synchronized(heard) { heard += it }
                error("what a listener throws is ignored")
            }
            on(Notes, {
                attempts = 2
                backoff = 1.milliseconds
            }) {
                if (it.text == "bad" || (it.text == "shaky" && attempt == 1)) error("bad")
            }
        }
        val ran = mutableListOf<Duration?>()
        val registration =
            timers.addListener { event ->
                synchronized(ran) {
                    if (event is TimerEvent.Retried) {
                        ran += event.took
                    } else if (event is TimerEvent.Dead) {
                        ran += event.took
                    }
                }
            }
        val events = async(start = CoroutineStart.UNDISPATCHED) { timers.events.take(10).toList() }
        timers.start()
        for (text in listOf("good", "shaky", "bad")) timers.schedule(Notes, text, Note(text), after = Duration.ZERO)
        fun of(id: String, all: List<TimerEvent>) = all.filter { it.id == id }.map { it::class.simpleName!! }
        val all = events.await()
        of("good", all) shouldBe listOf("Fired", "Succeeded")
        of("shaky", all) shouldBe listOf("Fired", "Retried", "Fired", "Succeeded")
        of("bad", all) shouldBe listOf("Fired", "Retried", "Fired", "Dead")
        soon { synchronized(heard) { heard.size } shouldBe 10 }
        soon { synchronized(ran) { ran.map { it != null } } shouldBe List(3) { true } }

        registration.dispose()
        timers.schedule(Notes, "last", Note("bad"), after = Duration.ZERO)
        soon { synchronized(heard) { heard.size } shouldBe 14 }
        synchronized(ran) { ran.size } shouldBe 3
    }

    behaviour("the lag of handlers is counted") {
        val timers = notes()
        timers.start()
        repeat(10) { timers.schedule(Notes, "$it", Note("x"), after = it.milliseconds) }
        repeat(10) { log.next() }
        timers.lag().totalCount shouldBe 10
        timers.lag().run { totalCount shouldBe 10 }
        timers.lag().minValue shouldBeGreaterThanOrEqual 0
    }
}
