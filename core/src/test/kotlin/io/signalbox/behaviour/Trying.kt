package io.signalbox.behaviour

import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe

/** `tryAcquire()`: now or not at all. */
fun SemaphoreBehaviour.trying() {
    behaviour("trying takes a free permit, and returns null when there is none") {
        val here = semaphore(permits = 2)
        val there = semaphore(permits = 2)
        val first = here.tryAcquire().shouldNotBeNull()
        there.tryAcquire().shouldNotBeNull()
        here.tryAcquire() shouldBe null
        there.tryAcquire() shouldBe null
        first.release()
        there.tryAcquire().shouldNotBeNull().holdersAtGrant shouldBe 2
    }

    behaviour("trying leaves nothing in the queue") {
        val semaphore = semaphore(permits = 1)
        semaphore.acquire()
        repeat(5) { semaphore.tryAcquire() shouldBe null }
        semaphore.snapshot().queueLength shouldBe 0
    }

    behaviour("trying for several permits takes all of them or none") {
        val semaphore = semaphore(permits = 3)
        val one = semaphore.acquire()
        semaphore.tryAcquire(permits = 3) shouldBe null
        semaphore.availablePermits() shouldBe 2
        semaphore.tryAcquire(permits = 2).shouldNotBeNull().permits shouldBe 2
        one.release()
        semaphore.tryAcquire(permits = 2) shouldBe null
    }

    behaviour("trying does not jump the queue, be it of the same client or of another", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 3)
        val there = semaphore(permits = 3)
        val holder = here.acquire(permits = 2)
        val waiting = start { here.acquire(permits = 2) }
        here.awaitQueue(1)
        here.availablePermits() shouldBe 1
        here.tryAcquire() shouldBe null
        there.tryAcquire() shouldBe null
        holder.release()
        waiting.await().holdersAtGrant shouldBe 2
        there.tryAcquire().shouldNotBeNull()
    }
}
