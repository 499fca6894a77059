package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.signalbox.LeaseLostException
import io.signalbox.Semaphore
import io.signalbox.SignalboxClosedException
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation

/** `close()` and `closeAndJoin()`. */
fun SemaphoreBehaviour.closing() {
    behaviour("permits held by a closed client are free at once for others") {
        val client = client { lease = 10.minutes }
        val semaphore = client.semaphore("api", permits = 3)
        semaphore.acquire()
        semaphore.acquire(permits = 2)
        val other = semaphore(permits = 3)
        val waiting = start { other.acquire(permits = 3) }
        other.awaitQueue(1)
        client.close()
        waiting.await().holdersAtGrant shouldBe 3
    }

    behaviour("closeAndJoin returns when the permits have been given back") {
        val client = client()
        client.semaphore("api", permits = 1).acquire()
        client.semaphore("b", permits = 1).acquire()
        val other = client()
        val others = listOf("api", "b").map { other.semaphore(it, permits = 1) }
        client.closeAndJoin()
        others.map { it.tryAcquire()?.holdersAtGrant } shouldBe listOf(1, 1)
    }

    behaviour("waiting acquires of a closed client fail, and their places in the queue are gone") {
        val client = client()
        val semaphore = client.semaphore("api", permits = 1)
        val other = semaphore(permits = 1)
        val holder = other.acquire()
        val waiting = listOf(
            start { failure { semaphore.acquire() } },
            start { failure { semaphore.acquire(timeout = PATIENCE) } },
            start { failure { semaphore.tryAcquire(timeout = PATIENCE) } },
            start { failure { semaphore.withPermit { } } },
        )
        other.awaitQueue(4)
        val behind = start { other.acquire() }
        other.awaitQueue(5)
        client.close()
        waiting.awaitAll().forEach { (it is SignalboxClosedException) shouldBe true }
        holder.release()
        behind.await().holdersAtGrant shouldBe 1
    }

    behaviour("a client that waits for a creator hears of its closing") {
        val client = client()
        val attaching = start { failure { client.attach("api", timeout = Duration.INFINITE) } }
        client.close()
        (attaching.await() is SignalboxClosedException) shouldBe true
    }

    behaviour("closing ends a block that runs with a permit") {
        val client = client()
        val semaphore = client.semaphore("api", permits = 1)
        val entered = CompletableDeferred<Unit>()
        val block = start {
            failure {
                semaphore.withPermit {
                    entered.complete(Unit)
                    awaitCancellation()
                }
            }
        }
        entered.await()
        client.close()
        (block.await() is LeaseLostException) shouldBe true
    }

    behaviour("closing twice, and from many coroutines, does no harm") {
        val client = client()
        client.semaphore("api", permits = 1).acquire()
        List(20) { i -> start { if (i % 2 == 0) client.close() else client.closeAndJoin() } }.awaitAll()
        client.closeAndJoin()
        client.close()
        semaphore(permits = 1).availablePermits() shouldBe 1
    }

    behaviour("a client that was never used can be closed") {
        client().close()
        client().closeAndJoin()
    }

    behaviour("whatever is asked of a closed client fails as such") {
        val client = client()
        val semaphore = client.semaphore("api", permits = 1)
        val released = semaphore.acquire().apply { release() }
        client.closeAndJoin()
        for (call in listOf<suspend Semaphore.() -> Any?>(
            { acquire() },
            { acquire(timeout = PATIENCE) },
            { tryAcquire() },
            { tryAcquire(timeout = PATIENCE) },
            { withPermit { } },
            { permits() },
            { availablePermits() },
            { isLocked() },
            { snapshot() },
            { resize(2) },
            { addPermits(2) },
        )) {
            shouldThrow<SignalboxClosedException> { semaphore.call() }
        }
        shouldThrow<SignalboxClosedException> { client.semaphore("api", permits = 1) }
        shouldThrow<SignalboxClosedException> { client.semaphore("new", permits = 1) }
        shouldThrow<SignalboxClosedException> { client.attach("api") }
        released.isLost shouldBe false
    }
}

private suspend fun failure(block: suspend () -> Unit): Throwable? = runCatching { block() }.exceptionOrNull()
