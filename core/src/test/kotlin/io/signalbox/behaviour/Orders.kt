package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.DeletedException
import io.signalbox.LeaseLostException
import io.signalbox.LossReason
import io.signalbox.SemaphoreNotFoundException
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.awaitCancellation

/** `Semaphore.revoke`. */
fun SemaphoreBehaviour.revoking() {
    // Of an adapter's permit the block knows no reason.
    behaviour(
        "a revoked permit is lost, its block says by whom, and somebody else is granted it",
        Ability.ORDERS,
        Ability.OWN_WITH_LOCK,
    ) {
        val holding = CompletableDeferred<Long>()
        val holder = client { lease = 1.seconds }.semaphore("api", permits = 1)
        val failure = start {
            shouldThrow<LeaseLostException> {
                holder.withPermit {
                    holding.complete(it.fencingToken)
                    awaitCancellation()
                }
            }
        }
        val token = holding.await()
        val operator = client { label = "operator of the night" }.semaphore("api", permits = 1)
        val next = start { operator.acquire() }
        operator.awaitQueue(1)
        operator.revoke(token) shouldBe true
        failure.await().run {
            reason shouldBe LossReason.REVOKED
            revokedBy shouldBe "operator of the night"
            message shouldContain "operator of the night"
        }
        next.await().run {
            fencingToken shouldBeGreaterThan token
            holdersAtGrant shouldBe 1
        }
        operator.revoke(token) shouldBe false
    }

    behaviour("revoking reaches permits with a limit, and several in one grant, and nothing that nobody holds", Ability.ORDERS) {
        val holder = client { lease = 1.seconds }.semaphore("api", permits = 4) { maxHold = 10.minutes }
        val kept = holder.acquire()
        val limited = holder.acquire()
        val several = holder.acquire(permits = 2)
        val operator = semaphore(permits = 4)
        operator.revoke(limited.fencingToken) shouldBe true
        operator.revoke(several.fencingToken) shouldBe true
        eventually(PATIENCE) { (limited.isLost && several.isLost) shouldBe true }
        kept.isLost shouldBe false
        operator.availablePermits() shouldBe 3
        operator.revoke(several.fencingToken) shouldBe false
        operator.revoke(12345) shouldBe false
        kept.release() shouldBe true
        val own = operator.acquire()
        operator.revoke(own.fencingToken) shouldBe true
        own.isLost shouldBe true
        operator.availablePermits() shouldBe 4
    }

    behaviour("who does not obey in time loses what it holds all the same", Ability.ORDERS) {
        // Its next heartbeat, with which it would hear of it, is a long time away.
        val holder = client { lease = 600.seconds }.semaphore("api", permits = 3)
        val plain = holder.acquire()
        val several = holder.acquire(permits = 2)
        val operator = semaphore(permits = 3)
        operator.revoke(several.fencingToken, patience = Duration.ZERO) shouldBe true
        operator.availablePermits() shouldBe 2
        operator.revoke(plain.fencingToken, patience = Duration.ZERO) shouldBe true
        operator.availablePermits() shouldBe 3
        val all = operator.acquire(permits = 3)
        holder.tryAcquire() shouldBe null
        eventually(PATIENCE) { (plain.isLost && several.isLost) shouldBe true }
        plain.release() shouldBe false
        operator.availablePermits() shouldBe 0
        all.release() shouldBe true
        holder.acquire(permits = 3).release() shouldBe true
    }
}

/** `Semaphore.delete`. */
fun SemaphoreBehaviour.deleting() {
    behaviour("deleting ends it for holders and waiters of all clients, and the next use begins anew with larger tokens", Ability.ORDERS) {
        val there = client { lease = 1.seconds }.semaphore("api", permits = 1)
        val held = there.acquire()
        val waiting = start { shouldThrow<DeletedException> { there.acquire() } }
        there.awaitQueue(1)
        val here = client { label = "operator of the day" }.semaphore("api", permits = 1)
        val own = start { shouldThrow<DeletedException> { here.acquire() } }
        here.awaitQueue(2)
        here.delete() shouldBe true
        waiting.await().run {
            semaphore shouldBe "api"
            message shouldContain "operator of the day"
        }
        own.await()
        held.awaitLoss()
        held.release() shouldBe false
        shouldThrow<SemaphoreNotFoundException> { client().attach("api", timeout = Duration.ZERO) }
        // Another declaration, because there is none.
        val anew = semaphore(permits = 7)
        anew.acquire().fencingToken shouldBeGreaterThan held.fencingToken
        anew.permits() shouldBe 7
    }

    behaviour("deleting what is not used any more leaves nothing that counts", Ability.ORDERS) {
        val semaphore = semaphore(permits = 2)
        val first = semaphore.acquire()
        first.release()
        semaphore.delete() shouldBe true
        semaphore.acquire(permits = 2).run {
            holdersAtGrant shouldBe 2
            fencingToken shouldBeGreaterThan first.fencingToken
            release() shouldBe true
        }
        semaphore.delete() shouldBe true
        semaphore.delete() shouldBe true
    }
}
