package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Semaphore
import kotlinx.coroutines.awaitAll

/** `addPermits()` of unbounded semaphores. */
fun SemaphoreBehaviour.addingPermits() {
    behaviour("adding permits raises the count for everybody, returns it, and serves the queue", Ability.ANY_COUNT) {
        val here = client().semaphore("api", permits = 0) { bounded = false }
        val there = client().semaphore("api", permits = 0) { bounded = false }
        val waiting = start { there.acquire() }
        here.awaitQueue(1)
        here.addPermits(2) shouldBe 2
        waiting.await().holdersAtGrant shouldBe 1
        there.addPermits(3) shouldBe 5
        here.permits() shouldBe 5
        here.availablePermits() shouldBe 4
    }

    behaviour("permits added at the same time all count, once") {
        val semaphores = List(3) { client().semaphore("api", permits = 1) { bounded = false } }
        val counts = List(90) { i -> start { semaphores[i % 3].addPermits(1) } }.awaitAll()
        counts shouldContainExactlyInAnyOrder (2..91).toList()
        semaphores[0].permits() shouldBe 91
    }

    behaviour("a bounded semaphore takes no added permits, but can be resized") {
        val semaphore = semaphore(permits = 3)
        shouldThrow<IllegalStateException> { semaphore.addPermits(1) }.run {
            message shouldContain "'api'"
            message shouldContain "resize"
        }
        semaphore.permits() shouldBe 3
        semaphore.resize(4)
        semaphore.permits() shouldBe 4
    }

    behaviour("the count does not grow beyond the maximum", Ability.ANY_COUNT) {
        val semaphore = client().semaphore("api", permits = Semaphore.MAX_PERMITS - 2) { bounded = false }
        shouldThrow<IllegalArgumentException> { semaphore.addPermits(3) }.run {
            message shouldContain "3"
            message shouldContain "${Semaphore.MAX_PERMITS}"
        }
        shouldThrow<IllegalArgumentException> { semaphore.addPermits(Semaphore.MAX_PERMITS) }
        semaphore.permits() shouldBe Semaphore.MAX_PERMITS - 2
        semaphore.addPermits(2) shouldBe Semaphore.MAX_PERMITS
    }

    behaviour("an unbounded semaphore can be resized, too") {
        val semaphore = client().semaphore("api", permits = 3) { bounded = false }
        semaphore.resize(1)
        semaphore.addPermits(1) shouldBe 2
    }
}
