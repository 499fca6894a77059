package io.signalbox.behaviour

import io.kotest.matchers.collections.shouldBeStrictlyIncreasing
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.longs.shouldBeBetween
import io.kotest.matchers.shouldBe
import io.signalbox.use
import java.util.concurrent.ConcurrentLinkedQueue
import kotlinx.coroutines.awaitAll

/** Fencing tokens. */
fun SemaphoreBehaviour.tokens() {
    behaviour("each grant has a larger token than all before it, whichever client it goes to") {
        val semaphores = List(3) { semaphore(permits = 1) }
        val tokens = ConcurrentLinkedQueue<Long>()
        List(120) { i -> start { semaphores[i % 3].acquire().use { tokens += it.fencingToken } } }.awaitAll()
        tokens.size shouldBe 120
        tokens.toList().shouldBeStrictlyIncreasing()
    }

    behaviour("grants made at once have tokens of their own, in the order in which they were asked for") {
        val semaphore = semaphore(permits = 50)
        val permits = List(50) { start { semaphore.acquire() } }.awaitAll()
        permits.map { it.fencingToken }.shouldBeUnique().shouldBeStrictlyIncreasing()
    }

    behaviour("immediate, queued, tried and heavy grants draw from one series") {
        val semaphore = semaphore(permits = 3)
        val first = semaphore.acquire()
        val tried = semaphore.tryAcquire()!!
        val heavy = start { semaphore.acquire(permits = 3) }
        semaphore.awaitQueue(1)
        val light = start { semaphore.acquire() }
        semaphore.awaitQueue(2)
        first.release()
        tried.release()
        val second = heavy.await()
        second.release()
        listOf(first, tried, second, light.await()).map { it.fencingToken }.shouldBeStrictlyIncreasing()
    }

    behaviour("tokens have 16 digits and are below 2^53") {
        val token = semaphore(permits = 1).acquire().fencingToken
        token.shouldBeBetween(1_000_000_000_000_000, 1L shl 53)
        token.toDouble().toLong() shouldBe token
    }
}
