package io.signalbox.behaviour

import io.kotest.matchers.shouldBe
import kotlinx.coroutines.awaitAll

/** `permits()`, `availablePermits()` and `isLocked()`. */
fun SemaphoreBehaviour.asking() {
    behaviour("availablePermits is what is not held, by any client") {
        val here = semaphore(permits = 4)
        val there = semaphore(permits = 4)
        val permit = here.acquire(permits = 3)
        there.availablePermits() shouldBe 1
        there.acquire()
        here.availablePermits() shouldBe 0
        permit.release()
        there.availablePermits() shouldBe 3
        here.permits() shouldBe 4
    }

    behaviour("a semaphore is locked when no permit is free") {
        val semaphore = semaphore(permits = 2)
        semaphore.acquire()
        semaphore.isLocked() shouldBe false
        val last = semaphore.acquire()
        semaphore.isLocked() shouldBe true
        last.release()
        semaphore.isLocked() shouldBe false
    }

    behaviour("a semaphore is locked while others wait, even if permits are free") {
        val semaphore = semaphore(permits = 3)
        val holder = semaphore.acquire()
        val waiting = start { semaphore.acquire(permits = 3) }
        semaphore.awaitQueue(1)
        semaphore.availablePermits() shouldBe 2
        semaphore.isLocked() shouldBe true
        waiting.cancel()
        semaphore.awaitQueue(0)
        semaphore.isLocked() shouldBe false
        holder.release() shouldBe true
    }

    behaviour("many questions at the same time are all answered") {
        val semaphore = semaphore(permits = 7)
        val answers = List(200) { i -> start { if (i % 2 == 0) semaphore.permits() else semaphore.availablePermits() } }.awaitAll()
        answers.toSet() shouldBe setOf(7)
    }
}
