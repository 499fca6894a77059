package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.PermitsMismatchException
import kotlinx.coroutines.awaitAll

/** `lazySemaphore(name, permits)`: a handle that joins with its first use. */
fun SemaphoreBehaviour.joiningLater() {
    behaviour("a lazy handle asks nothing of the store before its first use, which creates the semaphore") {
        val lazy = client().lazySemaphore("api", permits = 2)
        lazy.name shouldBe "api"
        store.knows("api") shouldBe false
        lazy.acquire().holdersAtGrant shouldBe 1
        store.knows("api") shouldBe true
        semaphore(permits = 2).availablePermits() shouldBe 1
        lazy.permits() shouldBe 2
    }

    behaviour("many who use a lazy handle at once have one semaphore") {
        val lazy = client().lazySemaphore("api", permits = 50)
        List(50) { start { lazy.acquire() } }.awaitAll().map { it.fencingToken }.toSet().size shouldBe 50
        lazy.tryAcquire() shouldBe null
    }

    behaviour("a first use with a time limit is granted in it") {
        val lazy = client().lazySemaphore("api", permits = 1)
        lazy.tryAcquire(timeout = PATIENCE).shouldNotBeNull().release() shouldBe true
    }

    behaviour("what joining fails with comes from every use until it succeeds") {
        semaphore(permits = 3)
        val lazy = client().lazySemaphore("api", permits = 7)
        repeat(2) {
            shouldThrow<PermitsMismatchException> { lazy.acquire() }.run {
                requested shouldBe 7
                declared shouldBe 3
            }
        }
        shouldThrow<PermitsMismatchException> { lazy.permits() }
        shouldThrow<PermitsMismatchException> { lazy.tryAcquire(timeout = PATIENCE) }
    }

    behaviour("a lazy handle and the other one of a client are of the same semaphore, whichever is made first") {
        val client = client()
        val lazy = client.lazySemaphore("api", permits = 1)
        val permit = client.semaphore("api", permits = 1).acquire()
        lazy.tryAcquire() shouldBe null
        client.lazySemaphore("api", permits = 1).tryAcquire() shouldBe null
        permit.release()
        lazy.tryAcquire().shouldNotBeNull()
    }

    behaviour("a lazy handle with a declaration of its own joins as a known one of the same client would", Ability.SHARED_QUEUE) {
        val client = client()
        client.semaphore("api", permits = 1)
        shouldThrow<PermitsMismatchException> { client.lazySemaphore("api", permits = 2) }
        val later = client.lazySemaphore("later", permits = 1)
        shouldThrow<PermitsMismatchException> { client.semaphore("later", permits = 2) }
        store.knows("later") shouldBe false
        // Somebody has it until here: what nobody has is forgotten.
        later.name shouldBe "later"
    }
}
