package io.signalbox.badinput

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.behaviour.awaitLoss
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.microseconds
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds

/** Time limits of calls, and the durations in a semaphore's settings. */
class DurationsSpec : FunSpec({
    val negative = listOf(-1.nanoseconds, -1.milliseconds, -1.days, -Duration.INFINITE)

    test("a time limit of a call is not negative") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            for (limit in negative) {
                for (call in listOf<suspend () -> Any?>(
                    { semaphore.acquire(timeout = limit) },
                    { semaphore.tryAcquire(timeout = limit) },
                    { client.attach("api", timeout = limit) },
                    { client.attach("other", timeout = limit) },
                )) {
                    refuses<IllegalArgumentException>(listOf("timeout", "$limit", "negative")) { call() }
                }
            }
        }
    }

    test("a time limit below a millisecond waits, and one of centuries does too") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            val holder = semaphore.acquire(timeout = 100_000.days)
            for (limit in listOf(1.nanoseconds, 1.microseconds)) semaphore.tryAcquire(timeout = limit) shouldBe null
            val waiting = clients.start { semaphore.acquire(timeout = 100_000.days) }
            holder.release()
            waiting.await().release() shouldBe true
            client.attach("api", timeout = 100_000.days).permits() shouldBe 1
        }
    }

    test("a max hold is infinite, or from 1 ms to 365 days") {
        witnessed {
            for (hold in negative + Duration.ZERO + listOf(365.days + 1.milliseconds, 100_000.days)) {
                refuses<IllegalArgumentException>(listOf("maxHold", "$hold")) { client.semaphore("api", permits = 1) { maxHold = hold } }
                refuses<IllegalArgumentException>(listOf("maxHold", "$hold")) { client.attach("api") { maxHold = hold } }
            }
            stored().size shouldBe 0
            client.semaphore("brief", permits = 1) { maxHold = 1.nanoseconds }.acquire().awaitLoss()
            val long = client.semaphore("long", permits = 1) { maxHold = 365.days }
            long.acquire()
            long.snapshot().holders.single().remainingHold.shouldNotBeNull() shouldBeLessThanOrEqualTo 365.days
        }
    }

    test("a hold is extended by 1 ms to 365 days") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1) { maxHold = 60.seconds }
            val permit = semaphore.acquire()
            for (hold in negative + Duration.ZERO + listOf(365.days + 1.milliseconds, Duration.INFINITE)) {
                refuses<IllegalArgumentException>(listOf("hold", "$hold")) { permit.extend(hold) }
            }
            permit.extend(365.days) shouldBe true
            permit.extend(1.nanoseconds)
            permit.awaitLoss()
        }
    }

    test("acquireTimeout is infinite, or 1 ms or more") {
        witnessed {
            for (limit in negative + Duration.ZERO) {
                refuses<IllegalArgumentException>(listOf("acquireTimeout", "$limit")) {
                    client.semaphore("api", permits = 1) { acquireTimeout = limit }
                }
            }
            stored().size shouldBe 0
            for ((i, limit) in listOf(1.nanoseconds, 1.milliseconds, 100_000.days).withIndex()) {
                val semaphore: Semaphore = client.semaphore("ok$i", permits = 1) { acquireTimeout = limit }
                semaphore.tryAcquire().shouldNotBeNull()
            }
        }
    }
})
