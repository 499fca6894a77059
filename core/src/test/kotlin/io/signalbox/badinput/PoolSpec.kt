package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.PermitsMismatchException
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SemaphoreSettings
import io.signalbox.Signalbox
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** The entry points of pools, on Redis and in memory. */
class PoolSpec : FunSpec({
    val pool: SemaphoreSettings.() -> Unit = { algorithm = SemaphoreAlgorithm.Pool() }

    for (permits in listOf(0, -1, 4097, Int.MAX_VALUE)) {
        test("a pool of $permits permits is refused") {
            witnessed { refuses<IllegalArgumentException>(listOf("$permits", "1", "4096")) { client.semaphore("api", permits, pool) } }
            shouldThrow<IllegalArgumentException> { Signalbox.inMemory().semaphore("api", permits, pool) }.message shouldContain "4096"
        }
    }

    test("the smallest and the largest pool work") {
        for (permits in listOf(1, 4096)) {
            witnessed {
                val semaphore = client.semaphore("api", permits, pool)
                semaphore.acquire(permits).release() shouldBe true
                semaphore.availablePermits() shouldBe permits
            }
            Signalbox.inMemory().semaphore("api", permits, pool).tryAcquire(permits).shouldNotBeNull().release() shouldBe true
        }
    }

    test("a pool is not resized or added to beyond its limits") {
        for (client in listOf<Signalbox?>(null, Signalbox.inMemory())) {
            witnessed {
                val semaphore = (client ?: this.client).semaphore("api", 4000) {
                    pool()
                    bounded = false
                }
                refuses<IllegalArgumentException>(listOf("4097")) { semaphore.resize(4097) }
                refuses<IllegalArgumentException>(listOf("-1")) { semaphore.resize(-1) }
                refuses<IllegalArgumentException>(listOf("0")) { semaphore.addPermits(0) }
                refuses<IllegalArgumentException>(listOf("4000", "97")) { semaphore.addPermits(97) }
                semaphore.addPermits(96) shouldBe 4096
            }
        }
    }

    test("a minimum hold is refused, and nothing is granted for it; none is none") {
        for (client in listOf<Signalbox?>(null, Signalbox.inMemory())) {
            witnessed {
                val semaphore = (client ?: this.client).semaphore("api", 3) {
                    algorithm = SemaphoreAlgorithm.Pool()
                    maxHold = 10.seconds
                }
                refuses<IllegalArgumentException>(listOf("minHold", "maxHold", "10s", "11s")) { semaphore.acquire(minHold = 11.seconds) }
                if (client == null) {
                    refuses<UnsupportedOperationException>(listOf("minHold", "queue algorithm")) { semaphore.acquire(minHold = 1.seconds) }
                    refuses<UnsupportedOperationException>(listOf("minHold", "queue algorithm")) {
                        semaphore.tryAcquire(minHold = 1.seconds)
                    }
                }
                semaphore.acquire(minHold = Duration.ZERO).release() shouldBe true
            }
        }
    }

    test("one name with another algorithm is refused within a client, and both are named") {
        for (client in listOf<Signalbox?>(null, Signalbox.inMemory())) {
            witnessed {
                val here = client ?: this.client
                here.semaphore("api", 3, pool)
                refuses<IllegalArgumentException>(listOf("'api'", "Pool(LUA)", "Queue")) { here.semaphore("api", 3) }
                refuses<IllegalArgumentException>(listOf("'api'", "Pool(LUA)", "Queue")) { here.attach("api") }
            }
        }
    }

    test("in other clients a pool and a queue of one name are different semaphores") {
        witnessed {
            client.semaphore("api", 3, pool).acquire(permits = 3)
            clients.client { namespace = this@witnessed.namespace }.semaphore("api", 5).availablePermits() shouldBe 5
        }
    }

    test("another count is refused, and named together with the declared one") {
        witnessed {
            client.semaphore("api", 3, pool)
            val other = clients.client()
            refuses<PermitsMismatchException>(listOf("'api'", "3", "7")) { other.semaphore("api", 7, pool) }
        }
    }
})
