package io.signalbox.timers.behaviour

import io.kotest.matchers.shouldBe
import io.signalbox.timers.TimersSettings
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation

/** What becomes of timers whose worker is gone. Deaths of processes are the business of `KillTest`. */
fun TimersBehaviour.takingOver() {
    behaviour("a handler that runs for many leases keeps its timer") {
        val short: TimersSettings<Log>.() -> Unit = { takeoverAfter = 100.milliseconds }
        val gate = CompletableDeferred<Unit>()
        val workers = List(3) {
            service {
                on(Notes) {
                    note(it)
                    if (it.text == "long") gate.await()
                }
                short()
            }
        }
        workers.forEach { it.start() }
        workers[0].schedule(Notes, "a", Note("long"), after = Duration.ZERO)
        log.next()
        repeat(8) {
            workers[0].schedule(Notes, "b$it", Note("x"), after = 100.milliseconds)
            log.next().id shouldBe "b$it"
        }
        gate.complete(Unit)
        soon { workers[0].count(Notes) shouldBe 0 }
        log.nothingMore()
    }

    behaviour("what a worker leaves behind is taken over") {
        val client = client()
        val first = service(client) {
            takeoverAfter = 300.milliseconds
            drainTimeout = Duration.ZERO
            on(Notes) {
                note(it)
                awaitCancellation()
            }
        }
        val job = first.start()
        first.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        log.next()
        val second = notes { takeoverAfter = 300.milliseconds }
        second.start()
        val begun = TimeSource.Monotonic.markNow()
        job.cancel()
        job.join()
        log.next().run { Pair(id, attempt) } shouldBe Pair("a", 1)
        (begun.elapsedNow() < 10.seconds) shouldBe true
    }
}
