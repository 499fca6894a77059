package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.OnMismatch
import io.signalbox.PermitsMismatchException

/** `redeclare`, and the setting `onMismatch`. */
fun SemaphoreBehaviour.declaring() {
    behaviour("what is redeclared is the count and the declaration: new clients must name it, those that run go on") {
        val old = semaphore(permits = 2)
        val waiting = List(2) { old.acquire() }.let { start { old.acquire() } }
        old.awaitQueue(1)
        val operator = semaphore(permits = 2)
        operator.redeclare(3)
        waiting.await().holdersAtGrant shouldBe 3
        semaphore(permits = 3).permits() shouldBe 3
        old.snapshot().declaredPermits shouldBe 3
        shouldThrow<PermitsMismatchException> { semaphore(permits = 2) }.run {
            declared shouldBe 3
            message shouldContain "onMismatch"
        }
        operator.redeclare(1)
        semaphore(permits = 1).permits() shouldBe 1
    }

    behaviour("with onMismatch RESIZE the newest declaration wins, and is recorded") {
        val old = semaphore(permits = 1)
        old.acquire()
        val waiting = start { old.acquire() }
        old.awaitQueue(1)
        val new = client().semaphore("api", permits = 2) { onMismatch = OnMismatch.RESIZE }
        waiting.await().holdersAtGrant shouldBe 2
        new.permits() shouldBe 2
        shouldThrow<PermitsMismatchException> { semaphore(permits = 1) }.declared shouldBe 2
        client().semaphore("api", permits = 1) { onMismatch = OnMismatch.RESIZE }.permits() shouldBe 1
        semaphore(permits = 1)
    }

    behaviour("with onMismatch ATTACH what is there stays, and a count of one's own creates it where it is not") {
        val old = semaphore(permits = 2)
        client().semaphore("api", permits = 5) { onMismatch = OnMismatch.ATTACH }.permits() shouldBe 2
        old.snapshot().declaredPermits shouldBe 2
        client().semaphore("other", permits = 5) { onMismatch = OnMismatch.ATTACH }.permits() shouldBe 5
        semaphore(permits = 5, name = "other")
    }

    behaviour("the policy is one of each call, within a client too") {
        val client = client()
        val handle = client.semaphore("api", permits = 2)
        client.semaphore("api", permits = 3) { onMismatch = OnMismatch.ATTACH }.permits() shouldBe 2
        client.semaphore("api", permits = 3) { onMismatch = OnMismatch.RESIZE }.permits() shouldBe 3
        handle.permits() shouldBe 3
        shouldThrow<PermitsMismatchException> { client.semaphore("api", permits = 2) }
        client.semaphore("api", permits = 3)
    }

    behaviour("a lazy handle declares with its first use") {
        semaphore(permits = 2)
        client().lazySemaphore("api", permits = 4) { onMismatch = OnMismatch.RESIZE }.permits() shouldBe 4
        client().lazySemaphore("api", permits = 9) { onMismatch = OnMismatch.ATTACH }.permits() shouldBe 4
    }

    behaviour("a count out of range is refused before anything is asked") {
        shouldThrow<IllegalArgumentException> { semaphore(permits = 1).redeclare(-1) }.message shouldContain "-1"
    }
}
