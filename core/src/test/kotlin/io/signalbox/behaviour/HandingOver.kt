package io.signalbox.behaviour

import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

/** Waiters hear of their grants at once, not with their next heartbeat (of about 10 seconds). */
fun SemaphoreBehaviour.handingOver() {
    behaviour("a permit changes hands between clients far faster than heartbeats, again and again") {
        val semaphores = List(2) { semaphore(permits = 1) }
        var permit = semaphores[0].acquire()
        val time = measureTime {
            for (turn in 1..30) {
                val next = start { semaphores[turn % 2].acquire() }
                semaphores[0].awaitQueue(1)
                permit.release() shouldBe true
                permit = next.await()
            }
        }
        time shouldBeLessThan 5.seconds
    }

    behaviour("one release wakes waiters of several clients") {
        val holder = semaphore(permits = 30).acquire(permits = 30)
        val semaphores = List(5) { semaphore(permits = 30) }
        val waiting = List(30) { start { semaphores[it % 5].acquire() } }
        semaphores[0].awaitQueue(30)
        val time = measureTime {
            holder.release()
            waiting.forEach { it.await() }
        }
        time shouldBeLessThan 5.seconds
    }

    behaviour("one client waits at many semaphores at once") {
        val here = client()
        val there = client()
        val holders = List(40) { here.semaphore("s$it", permits = 1).acquire() }
        val waiting = List(40) { i -> there.semaphore("s$i", permits = 1).let { start { it.acquire() }.apply { it.awaitQueue(1) } } }
        val time = measureTime {
            holders.forEach { it.release() }
            waiting.forEach { it.await() }
        }
        time shouldBeLessThan 5.seconds
    }
}
