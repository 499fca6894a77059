package io.signalbox.timers.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.SignalboxClosedException
import io.signalbox.timers.NewTimer
import io.signalbox.timers.Timer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation

/** The end of a run. */
fun TimersBehaviour.draining() {
    behaviour("a run that is cancelled lets running handlers end, and takes nothing more") {
        val gate = CompletableDeferred<Unit>()
        val timers = service {
            concurrency = 1
            on(Notes) {
                note(it)
                gate.await()
            }
        }
        timers.scheduleAll(Notes, List(3) { NewTimer("$it", Note("x"), Duration.ZERO) })
        val job = timers.start()
        log.next()
        job.cancel()
        gate.complete(Unit)
        job.join()
        // What was taken before the loop heard of it has been handled and settled; the rest waits.
        var handled = 1
        while (log.handled.tryReceive().isSuccess) handled++
        timers.count(Notes) shouldBe 3L - handled
        timers.list(Notes).timers.all { it.state == Timer.State.WAITING && it.attempts == 0 } shouldBe true
        timers.start()
        repeat(3 - handled) { log.next() }
        soon { timers.count(Notes) shouldBe 0 }
        log.nothingMore()
    }

    behaviour("handlers that do not end in time are cancelled, and their timers given back as if not tried") {
        val timers = service {
            drainTimeout = 20.milliseconds
            on(Notes) {
                note(it)
                awaitCancellation()
            }
        }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val job = timers.start()
        log.next()
        job.cancel()
        job.join()
        timers.get(Notes, "a").shouldNotBeNull().run { Pair(state, attempts) } shouldBe Pair(Timer.State.WAITING, 0)
        notes().start()
        log.next().attempt shouldBe 1
    }

    behaviour("closing the client ends the run after its handlers, and refuses what comes later") {
        val client = client()
        val timers = service(client) { on(Notes) { note(it) } }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val run = async { shouldThrow<SignalboxClosedException> { timers.run() } }
        log.next()
        client.closeAndJoin()
        run.await()
        shouldThrow<SignalboxClosedException> { timers.schedule(Notes, "b", Note("x"), after = Duration.ZERO) }
        shouldThrow<SignalboxClosedException> { timers.run() }
        notes().get(Notes, "a") shouldBe null
    }

    behaviour("closing the client gives handlers the time to end, then gives their timers back as if not tried") {
        val client = client()
        val timers = service(client) {
            drainTimeout = 50.milliseconds
            on(Notes, { attempts = 1 }) {
                note(it)
                awaitCancellation()
            }
        }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val run = async { shouldThrow<SignalboxClosedException> { timers.run() } }
        log.next()
        client.closeAndJoin()
        run.await()
        val next = notes()
        next.get(Notes, "a").shouldNotBeNull().run { Pair(state, attempts) } shouldBe Pair(Timer.State.WAITING, 0)
        next.start()
        log.next().attempt shouldBe 1
    }

    behaviour("closing the client lets a handler end that takes its time, and settles its timer") {
        val client = client()
        val begun = CompletableDeferred<Unit>()
        val gate = CompletableDeferred<Unit>()
        val timers = service(client) {
            drainTimeout = Duration.INFINITE
            on(Notes) {
                begun.complete(Unit)
                gate.await()
            }
        }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val run = async { shouldThrow<SignalboxClosedException> { timers.run() } }
        begun.await()
        val closing = async { client.closeAndJoin() }
        client.close()
        gate.complete(Unit)
        closing.await()
        run.await()
        notes().get(Notes, "a") shouldBe null
    }

    behaviour("closing the client from inside of a handler returns at once, and the timer is settled when the handler has returned") {
        val client = client()
        val returned = CompletableDeferred<Unit>()
        val timers = service(client) {
            drainTimeout = Duration.INFINITE
            on(Notes) {
                client.closeAndJoin()
                returned.complete(Unit)
            }
        }
        timers.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        val run = async { shouldThrow<SignalboxClosedException> { timers.run() } }
        returned.await()
        run.await()
        client.closeAndJoin()
        notes().get(Notes, "a") shouldBe null
    }

    behaviour("a worker that ends hands its watch over") {
        val other = notes()
        val timers = notes()
        val job = timers.start()
        timers.schedule(Notes, "first", Note("x"), after = Duration.ZERO)
        log.next()
        timers.schedule(Notes, "a", Note("x"), after = 300.milliseconds)
        other.start()
        timers.schedule(Notes, "second", Note("x"), after = Duration.ZERO)
        val next = log.next().id
        job.cancel()
        job.join()
        setOf(next, log.next().id) shouldBe setOf("second", "a")
    }
}
