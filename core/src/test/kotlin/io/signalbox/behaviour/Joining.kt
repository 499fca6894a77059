package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.collections.shouldBeSingleton
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.signalbox.AfterDataLoss
import io.signalbox.PermitsMismatchException
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.awaitAll

/** `semaphore(name, permits)`: create or join. */
fun SemaphoreBehaviour.joining() {
    behaviour("a new semaphore has the declared permits, all of them free") {
        val semaphore = client().semaphore("api", permits = 3)
        semaphore.name shouldBe "api"
        semaphore.permits() shouldBe 3
        semaphore.availablePermits() shouldBe 3
        semaphore.isLocked() shouldBe false
    }

    behaviour("the same name in two clients is the same semaphore") {
        val here = semaphore(permits = 2)
        val there = semaphore(permits = 2)
        here.acquire()
        there.availablePermits() shouldBe 1
        there.acquire()
        here.tryAcquire() shouldBe null
    }

    behaviour("semaphores of other names and namespaces have nothing in common") {
        val client = client()
        client.semaphore("a", permits = 1).acquire()
        client.semaphore("b", permits = 1).availablePermits() shouldBe 1
        client { namespace = freshNamespace() }.semaphore("a", permits = 1).availablePermits() shouldBe 1
    }

    behaviour("a client has one handle per name, however many coroutines ask for it") {
        val client = client()
        val handles = List(50) { start { client.semaphore("api", permits = 1) } }.awaitAll()
        handles.toSet().shouldBeSingleton()
        client.semaphore("api", permits = 1) shouldBeSameInstanceAs handles.first()
    }

    behaviour("of clients that create it with different counts at the same time, one decides for all") {
        val outcomes = (1..6).map { count -> client().let { start { runCatching { it.semaphore("api", permits = count) } } } }.awaitAll()
        val winner = outcomes.mapNotNull { it.getOrNull() }.shouldBeSingleton().first()
        val declared = winner.permits()
        outcomes.mapNotNull { it.exceptionOrNull() as PermitsMismatchException? }.map { it.declared } shouldBe List(5) { declared }
    }

    behaviour("another count than the declared one is refused, and named together with it") {
        val existing = semaphore(permits = 3)
        val refusal = shouldThrow<PermitsMismatchException> { semaphore(permits = 7) }
        refusal.semaphore shouldBe "api"
        refusal.requested shouldBe 7
        refusal.declared shouldBe 3
        refusal.message.shouldNotBeNull().run {
            shouldContain("'api'")
            shouldContain("3")
            shouldContain("7")
        }
        existing.permits() shouldBe 3
    }

    behaviour("another count is refused within one client, too") {
        val client = client()
        client.semaphore("api", permits = 3)
        val refusal = shouldThrow<PermitsMismatchException> { client.semaphore("api", permits = 7) }
        refusal.requested shouldBe 7
        refusal.declared shouldBe 3
    }

    behaviour("all creators must agree on boundedness, in other clients and in the same") {
        val client = client()
        client.semaphore("api", permits = 3)
        shouldThrow<PermitsMismatchException> { client().semaphore("api", permits = 3) { bounded = false } }
        shouldThrow<PermitsMismatchException> { client.semaphore("api", permits = 3) { bounded = false } }
    }

    behaviour("a resize changes the current count and not the declared one, so that a restart does not fail") {
        semaphore(permits = 3).resize(5)
        semaphore(permits = 3).permits() shouldBe 5
        shouldThrow<PermitsMismatchException> { semaphore(permits = 5) }.declared shouldBe 3
    }

    behaviour("a client refuses to use one name with different settings") {
        val client = client()
        client.semaphore("api", permits = 1) { maxHold = 60.seconds }
        shouldThrow<IllegalArgumentException> { client.semaphore("api", permits = 1) }
        shouldThrow<IllegalArgumentException> { client.semaphore("api", permits = 1) { maxHold = 61.seconds } }
            .message shouldContain "1m"
        shouldThrow<IllegalArgumentException> {
            client.semaphore("api", permits = 1) {
                maxHold = 60.seconds
                acquireTimeout = 1.seconds
            }
        }
        shouldThrow<IllegalArgumentException> {
            client.semaphore("api", permits = 1) {
                maxHold = 60.seconds
                afterDataLoss = AfterDataLoss.QUARANTINE
            }
        }
        client.semaphore("api", permits = 1) { maxHold = 60.seconds }
    }

    behaviour("with no permits it is a gate that a resize opens", Ability.ANY_COUNT) {
        val gate = semaphore(permits = 0)
        gate.isLocked() shouldBe true
        gate.tryAcquire() shouldBe null
        val waiting = start { gate.acquire() }
        gate.awaitQueue(1)
        semaphore(permits = 0).resize(1)
        waiting.await().permits shouldBe 1
    }
}
