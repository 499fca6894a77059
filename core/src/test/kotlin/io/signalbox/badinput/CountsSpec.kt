package io.signalbox.badinput

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.Semaphore.Companion.MAX_PERMITS
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Numbers of permits, and limits of snapshots. */
class CountsSpec : FunSpec({
    test("a semaphore has from 0 to 1 000 000 000 permits") {
        witnessed {
            for (permits in listOf(-1, Int.MIN_VALUE, MAX_PERMITS + 1, Int.MAX_VALUE)) {
                refuses<IllegalArgumentException>(listOf("permits", "$permits", "$MAX_PERMITS")) { client.semaphore("api", permits) }
            }
            stored().size shouldBe 0
        }
    }

    test("at least one permit is acquired") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            for (permits in listOf(0, -1, Int.MIN_VALUE)) {
                for (call in listOf<suspend Semaphore.() -> Any?>(
                    { acquire(permits) },
                    { acquire(permits, timeout = 1.seconds) },
                    { acquire(permits, timeout = Duration.ZERO) },
                    { acquire(permits, timeout = Duration.INFINITE) },
                    { tryAcquire(permits) },
                    { tryAcquire(permits, timeout = 1.seconds) },
                    { withPermit(permits) { } },
                )) {
                    refuses<IllegalArgumentException>(listOf("permits", "$permits", "at least 1")) { semaphore.call() }
                }
            }
        }
    }

    test("more permits than there are can never be acquired") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 3)
            for (permits in listOf(4, MAX_PERMITS, MAX_PERMITS + 1, Int.MAX_VALUE)) {
                for (call in listOf<suspend Semaphore.() -> Any?>({ acquire(permits) }, { tryAcquire(permits) })) {
                    shouldThrow<IllegalArgumentException> { semaphore.call() }
                }
            }
            semaphore.availablePermits() shouldBe 3
            semaphore.snapshot().queueLength shouldBe 0
        }
    }

    test("a semaphore is resized to 0 to 1 000 000 000 permits") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 3)
            for (permits in listOf(-1, Int.MIN_VALUE, MAX_PERMITS + 1, Int.MAX_VALUE)) {
                refuses<IllegalArgumentException>(listOf("permits", "$permits", "$MAX_PERMITS")) { semaphore.resize(permits) }
            }
            for (permits in listOf(0, 1, MAX_PERMITS)) {
                semaphore.resize(permits)
                semaphore.permits() shouldBe permits
            }
        }
    }

    test("at least one permit is added") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 3) { bounded = false }
            for (permits in listOf(0, -1, Int.MIN_VALUE, MAX_PERMITS + 1, Int.MAX_VALUE)) {
                refuses<IllegalArgumentException>(listOf("permits", "$permits", "$MAX_PERMITS")) { semaphore.addPermits(permits) }
            }
            semaphore.permits() shouldBe 3
        }
    }

    test("a snapshot lists from 1 to 10 000") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 3)
            for (limit in listOf(0, -1, Int.MIN_VALUE, 10_001, Int.MAX_VALUE)) {
                refuses<IllegalArgumentException>(listOf("limit", "$limit", "10000")) { semaphore.snapshot(limit) }
            }
            for (limit in listOf(1, 10_000)) semaphore.snapshot(limit).permits shouldBe 3
        }
    }
})
