package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Semaphore
import io.signalbox.use
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.awaitAll

/** `resize()`. */
fun SemaphoreBehaviour.resizing() {
    behaviour("growing is seen by every client and serves the queue at once", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 1)
        val there = semaphore(permits = 1)
        here.acquire()
        val waiting = List(3) { i -> start { (if (i == 1) here else there).acquire() }.also { here.awaitQueue(i + 1) } }
        there.resize(3)
        waiting.take(2).awaitAll().map { it.holdersAtGrant } shouldBe listOf(2, 3)
        here.awaitQueue(1)
        here.permits() shouldBe 3
        waiting[2].cancel()
    }

    behaviour("shrinking takes no permit away, and withdraws the surplus as it comes back") {
        val here = semaphore(permits = 3)
        val there = semaphore(permits = 3)
        val holders = listOf(here.acquire(), there.acquire(), here.acquire())
        there.resize(1)
        here.permits() shouldBe 1
        here.availablePermits() shouldBe 0
        holders.count { it.isLost } shouldBe 0
        val waiting = start { there.acquire() }
        here.awaitQueue(1)
        holders[0].release() shouldBe true
        holders[1].release() shouldBe true
        here.isLocked() shouldBe true
        here.awaitQueue(1)
        holders[2].release() shouldBe true
        waiting.await().holdersAtGrant shouldBe 1
    }

    behaviour("shrinking fails the waiters that no longer fit, in all clients, and those only") {
        // The other client hears of it with its next heartbeat, after about 2 seconds.
        val there = client { lease = 6.seconds }.semaphore("api", permits = 4)
        val here = semaphore(permits = 4)
        val holder = here.acquire(permits = 4)
        val tooLargeThere = start { there.acquireOrFailure(permits = 3) }
        here.awaitQueue(1)
        val fitting = start { there.acquire(permits = 2) }
        here.awaitQueue(2)
        val tooLargeHere = start { here.acquireOrFailure(permits = 4) }
        here.awaitQueue(3)
        here.resize(2)
        for (failure in listOf(tooLargeHere, tooLargeThere).awaitAll()) {
            failure.shouldNotBeNull().message shouldContain "'api'"
        }
        here.awaitQueue(1)
        fitting.isCompleted shouldBe false
        holder.release()
        fitting.await().holdersAtGrant shouldBe 2
    }

    behaviour("a waiter that no longer fits holds back nobody, even before its client has heard of it") {
        val here = semaphore(permits = 4)
        val there = semaphore(permits = 4)
        val holder = here.acquire(permits = 4)
        val tooLarge = start { there.acquireOrFailure(permits = 3) }
        here.awaitQueue(1)
        val fitting = start { here.acquire(permits = 2) }
        here.awaitQueue(2)
        here.resize(2)
        holder.release()
        fitting.await().holdersAtGrant shouldBe 2
        tooLarge.await().shouldNotBeNull()
    }

    behaviour("after shrinking, more than is left fails at once") {
        val semaphore = semaphore(permits = 4)
        semaphore.resize(2)
        shouldThrow<IllegalArgumentException> { semaphore.acquire(permits = 3) }.message shouldContain "resized"
        semaphore.acquire(permits = 2).holdersAtGrant shouldBe 2
    }

    behaviour("after shrinking, trying for more than is left is answered with no, and for more than there ever was is misuse") {
        val semaphore = semaphore(permits = 4)
        semaphore.resize(2)
        semaphore.tryAcquire(permits = 3) shouldBe null
        semaphore.tryAcquire(permits = 3, timeout = PATIENCE) shouldBe null
        shouldThrow<IllegalArgumentException> { semaphore.tryAcquire(permits = 5) }.message shouldContain "it has"
        shouldThrow<IllegalArgumentException> { semaphore.tryAcquire(permits = 5, timeout = PATIENCE) }
        semaphore.acquire(permits = 2).holdersAtGrant shouldBe 2
    }

    behaviour("resizing to zero closes a gate: who waits for one permit waits on") {
        val semaphore = semaphore(permits = 2)
        val holder = semaphore.acquire(permits = 2)
        val one = start { semaphore.acquire() }
        semaphore.awaitQueue(1)
        val two = start { semaphore.acquireOrFailure(permits = 2) }
        semaphore.awaitQueue(2)
        semaphore.resize(0)
        two.await().shouldNotBeNull()
        holder.release()
        semaphore.isLocked() shouldBe true
        one.isCompleted shouldBe false
        semaphore.resize(1)
        one.await().holdersAtGrant shouldBe 1
    }

    behaviour("the largest size works", Ability.ANY_COUNT) {
        val semaphore = semaphore(permits = Semaphore.MAX_PERMITS)
        semaphore.acquire(permits = Semaphore.MAX_PERMITS).use { it.holdersAtGrant shouldBe Semaphore.MAX_PERMITS }
        semaphore.resize(1)
        semaphore.resize(Semaphore.MAX_PERMITS)
        semaphore.availablePermits() shouldBe Semaphore.MAX_PERMITS
    }
}

private suspend fun Semaphore.acquireOrFailure(permits: Int): IllegalArgumentException? =
    try {
        acquire(permits)
        null
    } catch (refusal: IllegalArgumentException) {
        refusal
    }
