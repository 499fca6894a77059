package io.signalbox.behaviour

import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.minutes

/** Waiters hear of their grants at once, not with their next heartbeat: with such a lease that is minutes away, beyond all patience. */
fun SemaphoreBehaviour.handingOver() {
    behaviour("a permit changes hands between clients far faster than heartbeats, again and again") {
        val semaphores = List(2) { patientClient().semaphore("api", permits = 1) }
        var permit = semaphores[0].acquire()
        for (turn in 1..30) {
            val next = start { semaphores[turn % 2].acquire() }
            semaphores[0].awaitQueue(1)
            permit.release() shouldBe true
            permit = next.await()
        }
    }

    behaviour("one release wakes waiters of several clients") {
        val holder = patientClient().semaphore("api", permits = 30).acquire(permits = 30)
        val semaphores = List(5) { patientClient().semaphore("api", permits = 30) }
        val waiting = List(30) { start { semaphores[it % 5].acquire() } }
        semaphores[0].awaitQueue(30)
        holder.release() shouldBe true
        waiting.forEach { it.await() }
    }

    behaviour("one client waits at many semaphores at once") {
        val here = patientClient()
        val there = patientClient()
        val holders = List(40) { here.semaphore("s$it", permits = 1).acquire() }
        val waiting = List(40) { i -> there.semaphore("s$i", permits = 1).let { start { it.acquire() }.apply { it.awaitQueue(1) } } }
        holders.forEach { it.release() shouldBe true }
        waiting.forEach { it.await() }
    }
}

private fun Clients.patientClient() = client { lease = 10.minutes }
