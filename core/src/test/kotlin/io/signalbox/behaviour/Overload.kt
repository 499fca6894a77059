package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.TooManyWaitersException
import kotlinx.coroutines.cancelAndJoin

/** The settings `maxWaiters`, of a handle and of a client. */
fun SemaphoreBehaviour.overload() {
    behaviour("one who waits too many is refused at once, and there is room again when one has ended") {
        val semaphore = client().semaphore("api", permits = 1) { maxWaiters = 2 }
        val holder = semaphore.acquire()
        val first = start { semaphore.acquire() }
        semaphore.awaitQueue(1)
        val second = start { semaphore.tryAcquire(timeout = PATIENCE) }
        semaphore.awaitQueue(2)
        shouldThrow<TooManyWaitersException> { semaphore.acquire() }.run {
            this.semaphore shouldBe "api"
            maxWaiters shouldBe 2
            message shouldContain "'api'"
        }
        shouldThrow<TooManyWaitersException> { semaphore.tryAcquire(timeout = PATIENCE) }
        semaphore.tryAcquire() shouldBe null
        semaphore(permits = 1).tryAcquire() shouldBe null
        second.cancelAndJoin()
        val third = start { semaphore.acquire() }
        holder.release()
        first.await().release()
        third.await().release() shouldBe true
    }

    behaviour("a client's limit is for all of its handles, and for tries as well") {
        val client = client { maxWaiters = 1 }
        val semaphore = client.semaphore("api", permits = 1)
        val other = client.semaphore("other", permits = 1)
        semaphore.acquire().release()
        val holder = semaphore.acquire()
        val waiting = start { semaphore.acquire() }
        holder.let { store.queueLength(semaphore) }
        shouldThrow<TooManyWaitersException> { other.acquire() }
        shouldThrow<TooManyWaitersException> { other.tryAcquire() }
        holder.release()
        waiting.await().release()
        other.tryAcquire().shouldNotBeNull()
    }

    behaviour("a limit of nobody is refused, and settings are a handle's", Ability.KOTLIN_SETTINGS) {
        shouldThrow<IllegalArgumentException> { client().semaphore("api", permits = 1) { maxWaiters = 0 } }.message shouldContain
            "maxWaiters must be at least 1, but was 0"
        shouldThrow<IllegalArgumentException> { client { maxWaiters = -1 } }
        val client = client()
        client.semaphore("api", permits = 1) { maxWaiters = 5 }
        shouldThrow<IllegalArgumentException> { client.semaphore("api", permits = 1) }
    }
}
