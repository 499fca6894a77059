package io.signalbox.timers.behaviour

import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation

/**
 * What becomes of timers whose worker is gone. Deaths of processes are the business of `KillTest`, handlers of half an hour that of
 * `TimersInVirtualTimeSpec`.
 */
fun TimersBehaviour.takingOver() {
    behaviour("the claim of a handler that goes on is renewed") {
        val lease = 4.seconds
        val gate = CompletableDeferred<Unit>()
        val workers = List(3) {
            service {
                takeoverAfter = lease
                on(Notes) {
                    note(it)
                    gate.await()
                }
            }
        }
        workers.forEach { it.start() }
        workers[0].schedule(Notes, "a", Note("long"), after = Duration.ZERO)
        val runs = mutableListOf(log.next())

        suspend fun claimedUntil() = workers[0].get(Notes, "a").shouldNotBeNull().next
        val first = claimedUntil()
        soon { claimedUntil() shouldBeGreaterThan first }
        gate.complete(Unit)
        soon { workers[0].count(Notes) shouldBe 0 }
        while (true) runs += log.handled.tryReceive().getOrNull() ?: break
        // If the machine stood still for longer than a lease, somebody else has taken it, and rightly. Tokens are in microseconds.
        runs.zipWithNext { one, two -> two.token - one.token }.forEach { it shouldBeGreaterThan lease.inWholeMicroseconds - 1_000 }
    }

    behaviour("what a worker gives back when it ends is taken over at once") {
        val first = service {
            drainTimeout = Duration.ZERO
            on(Notes) {
                note(it)
                awaitCancellation()
            }
        }
        val job = first.start()
        first.schedule(Notes, "a", Note("x"), after = Duration.ZERO)
        log.next()
        // Nobody would take it before an hour has passed, or look around within this test's time, if it were not woken.
        notes().start()
        job.cancel()
        job.join()
        log.next().run { Pair(id, attempt) } shouldBe Pair("a", 1)
    }
}
