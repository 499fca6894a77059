package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.use
import java.util.concurrent.atomic.AtomicInteger
import kotlin.math.max
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.yield

/** `acquire()`: a permit when there is one, else the wait for it. */
fun SemaphoreBehaviour.acquiring() {
    behaviour("an acquired permit says what it is") {
        val permit = semaphore(permits = 3).acquire()
        permit.name shouldBe "api"
        permit.permits shouldBe 1
        permit.holdersAtGrant shouldBe 1
        permit.isLost shouldBe false
    }

    behaviour("holdersAtGrant counts the permits held right after the grant, of all clients") {
        val here = semaphore(permits = 5)
        val there = semaphore(permits = 5)
        here.acquire().holdersAtGrant shouldBe 1
        there.acquire(permits = 2).holdersAtGrant shouldBe 3
        val last = here.acquire(permits = 2)
        last.holdersAtGrant shouldBe 5
        val waiting = start { there.acquire() }
        there.awaitQueue(1)
        last.release()
        waiting.await().holdersAtGrant shouldBe 4
    }

    behaviour("permits acquired at the same time are as many as there are") {
        val semaphore = semaphore(permits = 10)
        val permits = List(10) { start { semaphore.acquire() } }.awaitAll()
        permits.map { it.holdersAtGrant } shouldContainExactlyInAnyOrder (1..10).toList()
        semaphore.tryAcquire() shouldBe null
    }

    behaviour("an acquire waits until a permit comes back, from the same client and from another") {
        val here = semaphore(permits = 1)
        val there = semaphore(permits = 1)
        val first = here.acquire()
        val second = start { here.acquire() }
        here.awaitQueue(1)
        val third = start { there.acquire() }
        here.awaitQueue(2)
        first.release()
        // Whichever is first: not every kind of semaphore promises an order between clients.
        listOf(second, third).map { start { it.await().release() } }.awaitAll()
        here.availablePermits() shouldBe 1
    }

    behaviour("there are never more holders than permits") {
        val semaphores = List(3) { semaphore(permits = 4) }
        val now = AtomicInteger()
        val most = AtomicInteger()
        List(300) { i ->
            start {
                semaphores[i % 3].acquire().use {
                    most.accumulateAndGet(now.incrementAndGet(), ::max)
                    yield()
                    now.decrementAndGet()
                }
            }
        }.awaitAll()
        most.get() shouldBeLessThanOrEqual 4
        // The end of a block waits for nobody, so those of other clients may still be on their way.
        eventually(PATIENCE) { semaphores.first().availablePermits() shouldBe 4 }
    }

    behaviour("a cancelled acquire leaves the queue, and its turn passes to the next") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        val cancelled = start { semaphore.acquire() }
        semaphore.awaitQueue(1)
        val next = start { semaphore.acquire() }
        semaphore.awaitQueue(2)
        cancelled.cancel()
        shouldThrow<CancellationException> { cancelled.await() }
        semaphore.awaitQueue(1)
        holder.release()
        next.await().holdersAtGrant shouldBe 1
    }

    behaviour("a semaphore is not reentrant") {
        val semaphore = semaphore(permits = 1)
        semaphore.acquire().use { semaphore.tryAcquire() shouldBe null }
    }
}
