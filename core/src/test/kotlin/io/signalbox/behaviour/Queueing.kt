package io.signalbox.behaviour

import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.use
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.awaitAll

/** First come, first served, by the order in which acquires reached the store. */
fun SemaphoreBehaviour.queueing() {
    behaviour("acquires of one client are granted in the order in which they were made") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        val order = ConcurrentLinkedQueue<Int>()
        val waiting = List(100) { i -> start { semaphore.acquire().use { order += i } } }
        semaphore.awaitQueue(100)
        holder.release()
        waiting.awaitAll()
        order.toList() shouldBe (0 until 100).toList()
    }

    behaviour("acquires of several clients are granted in the order in which they were made", Ability.SHARED_QUEUE) {
        val semaphores = List(3) { semaphore(permits = 1) }
        val holder = semaphores[0].acquire()
        val order = ConcurrentLinkedQueue<Int>()
        val clients = listOf(0, 1, 2, 2, 1, 0, 1, 1, 0, 2, 0, 1)
        val waiting = clients.mapIndexed { i, client -> semaphores[client].enqueue(this, i) { order += i } }
        holder.release()
        waiting.awaitAll()
        order.toList() shouldBe clients.indices.toList()
    }

    behaviour("who comes last waits behind those of other clients, however often permits change hands", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 2)
        val there = semaphore(permits = 2)
        val holders = List(2) { here.acquire() }
        val order = ConcurrentLinkedQueue<Int>()
        val waiting = List(6) { i -> (if (i % 2 == 0) there else here).enqueue(this, i) { order += i } }
        // One permit goes round, so that there is one order.
        holders[0].release()
        waiting.awaitAll()
        order.toList() shouldBe (0 until 6).toList()
        holders[1].release() shouldBe true
        there.availablePermits() shouldBe 2
    }

    behaviour("a place in the queue that is given up delays nobody behind it", Ability.SHARED_QUEUE) {
        val here = semaphore(permits = 1)
        val there = semaphore(permits = 1)
        val holder = here.acquire()
        val order = ConcurrentLinkedQueue<Int>()
        val waiting = List(6) { i -> (if (i % 2 == 0) there else here).enqueue(this, i) { order += i } }
        waiting[0].cancel()
        waiting[3].cancel()
        waiting[4].cancel()
        here.awaitQueue(3)
        holder.release()
        listOf(1, 2, 5).map { waiting[it] }.awaitAll()
        order.toList() shouldBe listOf(1, 2, 5)
    }

    behaviour("a cancelled acquire that asks again is at the end of the queue") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        val order = ConcurrentLinkedQueue<Int>()
        val cancelled = semaphore.enqueue(this, 0) { order += 0 }
        val second = semaphore.enqueue(this, 1) { order += 1 }
        cancelled.cancel()
        semaphore.awaitQueue(1)
        val again = semaphore.enqueue(this, 1) { order += 2 }
        holder.release()
        listOf(second, again).awaitAll()
        order.toList() shouldBe listOf(1, 2)
    }
}

/** Starts an acquire and returns when it is in the queue, behind [ahead] others; when granted it runs [block]. */
private suspend fun Semaphore.enqueue(
    clients: Clients,
    ahead: Int,
    block: () -> Unit,
): Deferred<Unit> = clients.start { acquire().use { block() } }.also { clients.run { awaitQueue(ahead + 1) } }
