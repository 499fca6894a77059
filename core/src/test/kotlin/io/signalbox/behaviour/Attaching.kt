package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreNotFoundException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** `attach(name)`: join without knowing the count. */
fun SemaphoreBehaviour.attaching() {
    behaviour("attaching needs no count and changes none") {
        val creator = semaphore(permits = 3)
        val attached = client().attach("api")
        attached.name shouldBe "api"
        attached.permits() shouldBe 3
        attached.acquire(permits = 2)
        creator.availablePermits() shouldBe 1
    }

    behaviour("attaching waits for the creator") {
        val client = client()
        val attaching = start { client.attach("api", timeout = Duration.INFINITE) }
        shouldThrow<SemaphoreNotFoundException> { client().attach("api", timeout = 50.milliseconds) }
        attaching.isActive shouldBe true
        semaphore(permits = 3)
        attaching.await().permits() shouldBe 3
    }

    behaviour("attaching gives up when nobody created it in time, and creates nothing") {
        val client = client()
        val failure = shouldThrow<SemaphoreNotFoundException> { client.attach("api", timeout = 100.milliseconds) }
        failure.semaphore shouldBe "api"
        failure.message shouldContain "'api'"
        failure.message shouldContain "100ms"
        shouldThrow<SemaphoreNotFoundException> { client.attach("api", timeout = Duration.ZERO) }
        client.semaphore("api", permits = 9).permits() shouldBe 9
    }

    behaviour("attaching with a timeout of zero asks once") {
        semaphore(permits = 3)
        client().attach("api", timeout = Duration.ZERO).permits() shouldBe 3
    }

    behaviour("attaching ignores boundedness") {
        client().semaphore("api", permits = 3) { bounded = false }
        client().attach("api").addPermits(1) shouldBe 4
    }

    behaviour("attaching and creating give the same handle within one client, and still compare the declaration") {
        val creator = client().semaphore("api", permits = 3) { bounded = false }
        creator.resize(5)
        val client = client()
        val attached = client.attach("api")
        shouldThrow<PermitsMismatchException> { client.semaphore("api", permits = 5) { bounded = false } }.declared shouldBe 3
        shouldThrow<PermitsMismatchException> { client.semaphore("api", permits = 3) }
        client.semaphore("api", permits = 3) { bounded = false } shouldBeSameInstanceAs attached
        client.attach("api") shouldBeSameInstanceAs attached
    }

    behaviour("attaching is refused for one name with different settings, too") {
        val client = client()
        client.semaphore("api", permits = 3)
        shouldThrow<IllegalArgumentException> { client.attach("api") { maxHold = 10.milliseconds } }
    }
}
