package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.signalbox.LeaseLostException
import io.signalbox.use
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** `withPermit { }` and `permit.use { }`: what they return or throw, and that the permit comes back. */
fun SemaphoreBehaviour.withPermits() {
    behaviour("withPermit returns what the block returns, and gives the permit back") {
        val semaphore = semaphore(permits = 1)
        val result = semaphore.withPermit { permit ->
            semaphore.availablePermits() shouldBe 0
            "token " + permit.fencingToken / permit.fencingToken
        }
        result shouldBe "token 1"
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("withPermit throws what the block throws, errors included, and gives the permit back") {
        val semaphore = semaphore(permits = 1)
        shouldThrow<IllegalStateException> { semaphore.withPermit { error("broken") } }.message shouldBe "broken"
        semaphore.availablePermits() shouldBe 1
        shouldThrow<NotImplementedError> { semaphore.withPermit { TODO() } }
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("withPermit waits for what the block launched") {
        val semaphore = semaphore(permits = 1)
        var held = -1
        semaphore.withPermit { launch { held = 1 - semaphore.availablePermits() } }
        held shouldBe 1
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("a child that fails ends the block, and the permit comes back") {
        val semaphore = semaphore(permits = 1)
        shouldThrow<IllegalStateException> {
            semaphore.withPermit {
                launch { error("broken child") }
                awaitCancellation()
            }
        }.message shouldBe "broken child"
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("withPermit whose caller is cancelled ends with a CancellationException after the block's own clean-up") {
        val semaphore = semaphore(permits = 1)
        val entered = CompletableDeferred<Unit>()
        var free = -1
        val caller = start {
            semaphore.withPermit {
                entered.complete(Unit)
                try {
                    awaitCancellation()
                } finally {
                    withContext(NonCancellable) { free = semaphore.availablePermits() }
                }
            }
        }
        entered.await()
        caller.cancel()
        shouldThrow<CancellationException> { caller.await() }
        free shouldBe 0
        semaphore.acquire().release() shouldBe true
    }

    behaviour("a block that throws a CancellationException of its own is not mistaken for a lost permit") {
        val semaphore = semaphore(permits = 1)
        shouldThrow<CancellationException> { semaphore.withPermit { throw CancellationException("enough") } }
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("use runs a block with a permit acquired before") {
        val semaphore = semaphore(permits = 2)
        val permit = semaphore.acquire(permits = 2)
        permit.use { it.permits } shouldBe 2
        semaphore.availablePermits() shouldBe 2
        shouldThrow<IllegalStateException> { permit.release() }
    }

    behaviour("losing the permit cancels the block and ends it with LeaseLostException") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 10.minutes }
        var token = 0L
        var cancelled = false
        val failure = shouldThrow<LeaseLostException> {
            semaphore.withPermit {
                token = it.fencingToken
                try {
                    it.loseNow()
                    awaitCancellation()
                } catch (end: CancellationException) {
                    cancelled = true
                    throw end
                }
            }
        }
        cancelled shouldBe true
        failure.semaphore shouldBe "api"
        failure.fencingToken shouldBe token
        semaphore.awaitAvailable(1)
    }

    behaviour("a block that outlives the loss of its permit ends with LeaseLostException, whatever it made of it") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 10.minutes }
        shouldThrow<LeaseLostException> {
            semaphore.withPermit { permit -> withContext(NonCancellable) { permit.loseNow() } }
        }
        val failure = shouldThrow<LeaseLostException> {
            semaphore.withPermit { permit ->
                withContext(NonCancellable) { permit.loseNow() }
                error("could not finish")
            }
        }
        failure.cause?.message shouldBe "could not finish"
    }

    behaviour("losing the permit of a block is not a cancellation of its caller") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 10.minutes }
        val caller = start {
            shouldThrow<LeaseLostException> {
                semaphore.withPermit {
                    it.loseNow()
                    awaitCancellation()
                }
            }
            semaphore.acquire(timeout = PATIENCE).release()
        }
        caller.await() shouldBe true
    }
}
