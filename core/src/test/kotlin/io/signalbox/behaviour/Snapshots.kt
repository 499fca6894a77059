package io.signalbox.behaviour

import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldHaveLength
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** `snapshot()`: who holds and who waits. */
fun SemaphoreBehaviour.snapshots() {
    behaviour("the snapshot of an unused semaphore is empty") {
        semaphore(permits = 3).snapshot().run {
            name shouldBe "api"
            declaredPermits shouldBe 3
            permits shouldBe 3
            heldPermits shouldBe 0
            availablePermits shouldBe 3
            queueLength shouldBe 0
            holders.shouldBeEmpty()
            queue.shouldBeEmpty()
        }
    }

    behaviour("a snapshot names the holders of all clients") {
        val here = client { label = "here" }.semaphore("api", permits = 5) { maxHold = 10.minutes }
        val there = client { label = "thére" }.semaphore("api", permits = 5)
        val one = here.acquire()
        val three = there.acquire(permits = 3)
        val snapshot = here.fullSnapshot()
        snapshot.heldPermits shouldBe 4
        snapshot.availablePermits shouldBe 1
        snapshot.holders.map { Triple(it.label, it.fencingToken, it.permits) } shouldContainExactlyInAnyOrder listOf(
            Triple("here", one.fencingToken, 1),
            Triple("thére", three.fencingToken, 3),
        )
        val (mine, other) = snapshot.holders.sortedBy { it.permits }
        mine.client shouldHaveLength 8
        (mine.client == other.client) shouldBe false
        mine.remainingHold.shouldNotBeNull() shouldBeGreaterThan 9.minutes
        other.remainingHold shouldBe null
        for (holder in snapshot.holders) {
            holder.age shouldBeGreaterThanOrEqualTo Duration.ZERO
            holder.age shouldBeLessThanOrEqualTo PATIENCE
            holder.remainingLease shouldBeGreaterThan Duration.ZERO
            holder.remainingLease shouldBeLessThanOrEqualTo 30.seconds
        }
        mine.age shouldBeGreaterThanOrEqualTo other.age
        there.fullSnapshot().holders.map { it.client } shouldContainExactlyInAnyOrder listOf(mine.client, other.client)
    }

    behaviour("a snapshot lists the queue of all clients from its head on", Ability.SHARED_QUEUE) {
        val here = client { label = "here" }.semaphore("api", permits = 3)
        val there = client { label = "there" }.semaphore("api", permits = 3)
        val holder = here.acquire(permits = 3)
        val first = start { there.acquire(permits = 2) }
        here.awaitQueue(1)
        val second = start { here.acquire() }
        here.awaitQueue(2)
        val third = start { there.acquire() }
        here.awaitQueue(3)
        val snapshot = there.snapshot()
        snapshot.queue.map { Triple(it.position, it.label, it.permits) } shouldBe listOf(
            Triple(1, "there", 2),
            Triple(2, "here", 1),
            Triple(3, "there", 1),
        )
        snapshot.queue[1].client shouldBe snapshot.holders.single().client
        snapshot.queue[0].client shouldBe snapshot.queue[2].client
        for (waiter in snapshot.queue) {
            waiter.age shouldBeGreaterThanOrEqualTo Duration.ZERO
            waiter.age shouldBeLessThanOrEqualTo PATIENCE
            waiter.remainingLease shouldBeGreaterThan Duration.ZERO
            waiter.remainingLease shouldBeLessThanOrEqualTo 30.seconds
        }
        snapshot.queue[0].age shouldBeGreaterThanOrEqualTo snapshot.queue[2].age
        holder.release()
        listOf(first, second).forEach { it.await().release() }
        third.await()
        here.snapshot().queue.shouldBeEmpty()
    }

    behaviour("a limit shortens the lists and not the counts") {
        val semaphore = semaphore(permits = 5)
        repeat(5) { semaphore.acquire() }
        repeat(4) { start { semaphore.acquire() } }
        semaphore.awaitQueue(4)
        val snapshot = semaphore.snapshot(limit = 2)
        snapshot.holders.size shouldBe 2
        snapshot.queue.map { it.position } shouldBe listOf(1, 2)
        snapshot.heldPermits shouldBe 5
        snapshot.queueLength shouldBe 4
    }

    behaviour("a snapshot after a resize tells the declared from the current count") {
        val semaphore = semaphore(permits = 5)
        repeat(4) { semaphore.acquire() }
        semaphore.resize(2)
        semaphore.snapshot().run {
            declaredPermits shouldBe 5
            permits shouldBe 2
            heldPermits shouldBe 4
            availablePermits shouldBe 0
            toString() shouldContain "permits=2"
        }
    }
}
