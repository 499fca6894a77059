package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.withPermit

/** Several permits in one acquire. */
fun SemaphoreBehaviour.severalPermits() {
    behaviour("several permits are acquired and released as one") {
        val semaphore = semaphore(permits = 5)
        val permit = semaphore.acquire(permits = 3)
        permit.permits shouldBe 3
        permit.holdersAtGrant shouldBe 3
        semaphore.availablePermits() shouldBe 2
        permit.release() shouldBe true
        semaphore.availablePermits() shouldBe 5
        semaphore.withPermit(permits = 5) {
            it.permits shouldBe 5
            semaphore.isLocked() shouldBe true
        }
        semaphore.availablePermits() shouldBe 5
    }

    behaviour("several permits at the head of the queue hold back fewer behind them", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 3)
        val there = semaphore(permits = 3)
        val holders = List(3) { here.acquire() }
        val large = start { there.acquire(permits = 3) }
        here.awaitQueue(1)
        val small = start { here.acquire() }
        here.awaitQueue(2)
        holders[0].release()
        holders[1].release()
        here.availablePermits() shouldBe 2
        here.snapshot().queueLength shouldBe 2
        holders[2].release()
        val all = large.await()
        all.holdersAtGrant shouldBe 3
        small.isCompleted shouldBe false
        all.release()
        small.await().holdersAtGrant shouldBe 1
    }

    behaviour("several permits at the head that are given up make way for fewer behind them") {
        val semaphore = semaphore(permits = 3)
        semaphore.acquire()
        val large = start { semaphore.acquire(permits = 3) }
        semaphore.awaitQueue(1)
        val small = start { semaphore.acquire(permits = 2) }
        semaphore.awaitQueue(2)
        large.cancel()
        small.await().holdersAtGrant shouldBe 3
    }

    behaviour("one release serves as many waiters as fit", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 4)
        val there = semaphore(permits = 4)
        val holder = here.acquire(permits = 4)
        val weights = listOf(1, 2, 1, 3)
        val waiting = weights.mapIndexed { i, weight ->
            start { (if (i % 2 == 0) here else there).acquire(weight) }.also { here.awaitQueue(i + 1) }
        }
        holder.release()
        waiting.take(3).map { it.await().holdersAtGrant } shouldBe listOf(1, 3, 4)
        here.snapshot().queueLength shouldBe 1
    }

    behaviour("more permits than there are can never be acquired, and fail at once") {
        val semaphore = semaphore(permits = 3)
        for (attempt in listOf<suspend () -> Any?>(
            { semaphore.acquire(permits = 4) },
            { semaphore.acquire(permits = 4, timeout = PATIENCE) },
            { semaphore.tryAcquire(permits = 4) },
            { semaphore.tryAcquire(permits = 4, timeout = PATIENCE) },
            { semaphore.withPermit(permits = 4) { } },
        )) {
            shouldThrow<IllegalArgumentException> { attempt() }.message.shouldNotBeNull().run {
                shouldContain("4")
                shouldContain("'api'")
                shouldContain("3")
            }
        }
        semaphore.acquire(permits = 3).permits shouldBe 3
    }

    behaviour("at a gate of no permits one may wait, two can never pass", Ability.ANY_COUNT) {
        val gate = semaphore(permits = 0)
        shouldThrow<IllegalArgumentException> { gate.acquire(permits = 2) }
        val waiting = start { gate.acquire() }
        gate.awaitQueue(1)
        waiting.cancel()
        gate.awaitQueue(0)
    }
}
