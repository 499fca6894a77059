package io.signalbox.badinput

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.AfterDataLoss
import io.signalbox.Durability
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.awaitLoss
import io.signalbox.withLock
import io.signalbox.withLocks
import io.signalbox.withPermit
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

    test("a minimum hold is zero to the max hold, and 365 days at most") {
        witnessed {
            val semaphore = client.semaphore("api", permits = 1)
            val mutex = client.mutex("api")
            for (hold in negative + listOf(365.days + 1.milliseconds, 100_000.days, Duration.INFINITE)) {
                for (call in listOf<suspend () -> Any?>(
                    { semaphore.acquire(minHold = hold) },
                    { semaphore.tryAcquire(minHold = hold) },
                    { semaphore.acquire(maxHold = Duration.INFINITE, minHold = hold) },
                    { mutex.lock(minHold = hold) },
                    { mutex.tryLock(minHold = hold) },
                    { mutex.withLock(minHold = hold) { error("not to be called") } },
                )) {
                    refuses<IllegalArgumentException>(listOf("minHold", "$hold")) { call() }
                }
            }
            refuses<IllegalArgumentException>(listOf("minHold", "maxHold", "1s", "1.000000001s")) {
                semaphore.acquire(maxHold = 1.seconds, minHold = 1.seconds + 1.nanoseconds)
            }
            refuses<IllegalArgumentException>(listOf("maxHold", "0s")) {
                semaphore.acquire(maxHold = Duration.ZERO, minHold = Duration.ZERO)
            }
            semaphore.acquire(maxHold = 1.seconds, minHold = 1.nanoseconds).release() shouldBe true
            semaphore.acquire(maxHold = 365.days, minHold = 365.days).release() shouldBe true
            semaphore.snapshot().holders.single().remainingLease shouldBeLessThanOrEqualTo 365.days
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

    for (span in listOf(Long.MAX_VALUE.nanoseconds, Duration.INFINITE)) {
        test("$span is refused where there is an end to what can be meant") {
            refusesSettings("lease", "$span") { lease = span }
            refusesSettings("retention", "$span") { retention = span }
            refusesSettings("storeTimeout", "$span") { storeTimeout = span }
            for (durability in listOf<() -> Any>({ Durability.replicated(1, timeout = span) }, { Durability.onDisk(timeout = span) })) {
                shouldThrow<IllegalArgumentException> { durability() }.message shouldContain "timeout must be at most 1d"
            }
            witnessed {
                val permit = client.semaphore("held", permits = 1) { maxHold = 60.seconds }.acquire()
                for ((what, call) in listOf<Pair<String, suspend () -> Any?>>(
                    "hold" to { permit.extend(span) },
                    "longestLease" to {
                        client.semaphore("api", permits = 1) {
                            afterDataLoss = AfterDataLoss.QUARANTINE
                            longestLease = span
                        }
                    },
                    "longestLease" to {
                        client.mutex("api") {
                            afterDataLoss = AfterDataLoss.QUARANTINE
                            longestLease = span
                        }
                    },
                )) {
                    refuses<IllegalArgumentException>(listOf("$what must be at most", "$span")) { call() }
                }
            }
            // Where infinite means none, hundreds of years that are a number are too many.
            if (span.isInfinite()) return@test
            refusesSettings("holdWarning", "$span") { holdWarning = span }
            witnessed {
                val semaphore = client.semaphore("api", permits = 1)
                for ((what, call) in listOf<Pair<String, suspend () -> Any?>>(
                    "maxHold" to { client.semaphore("other", permits = 1) { maxHold = span } },
                    "maxHold" to {
                        client.semaphore("pool", permits = 1) {
                            algorithm = SemaphoreAlgorithm.Pool()
                            maxHold = span
                        }
                    },
                    "maxHold" to { client.mutex("other") { maxHold = span } },
                    "maxHold" to { semaphore.acquire(maxHold = span) },
                    "maxHold" to { semaphore.tryAcquire(maxHold = span) },
                    "signalTtl" to { client.event("other") { signalTtl = span } },
                )) {
                    refuses<IllegalArgumentException>(listOf("$what must be at most", "$span")) { call() }
                }
            }
        }

        test("$span is for ever wherever somebody waits") {
            witnessed {
                val semaphore = client.semaphore("api", permits = 1) { acquireTimeout = span }
                val pool =
                    client.semaphore("pool", permits = 1) {
                        algorithm = SemaphoreAlgorithm.Pool()
                        acquireTimeout = span
                    }
                val mutex = client.mutex("api") { lockTimeout = span }
                val event = client.event("api")

                /** [call] waits until [end] has ended what keeps it waiting. */
                suspend fun waits(
                    call: suspend () -> Any?,
                    end: suspend () -> Unit,
                ) {
                    val waiting = clients.start { call() }
                    eventually(PATIENCE) { client.usage().sumOf { it.waiting } shouldBe 1 }
                    end()
                    waiting.await().shouldNotBeNull()
                }
                for (limited in listOf(semaphore, pool)) {
                    for (call in listOf<suspend () -> Permit?>(
                        { limited.acquire() },
                        { limited.acquire(timeout = span) },
                        { limited.tryAcquire(timeout = span) },
                        { limited.acquire(timeout = span, maxHold = 60.seconds) },
                    )) {
                        val held = limited.acquire()
                        waits({ call()?.release() }) { held.release() }
                    }
                    val held = limited.acquire()
                    waits({ limited.withPermit(timeout = span) { it.permits } }) { held.release() }
                }
                for (call in listOf<suspend () -> Any?>(
                    { mutex.lock().release() },
                    { mutex.lock(timeout = span).release() },
                    { mutex.tryLock(timeout = span)?.release() },
                    { mutex.withLock(timeout = span) { it.permits } },
                    { withLocks(listOf(mutex), timeout = span) { it.size } },
                )) {
                    val held = mutex.lock()
                    waits(call) { held.release() }
                }
                waits({ event.await(timeout = span) }) { event.set() }
                waits({ event.tryAwait(timeout = span).takeIf { it } }) { event.set() }
                val attaching = clients.start { client.attach("later", timeout = span) }
                clients.client().semaphore("later", permits = 2)
                attaching.await().permits() shouldBe 2
                clients.client().attach("later", timeout = span).permits() shouldBe 2
                (client.ping(timeout = span) > Duration.ZERO) shouldBe true
                val held = semaphore.acquire()
                semaphore.revoke(held.fencingToken, patience = span) shouldBe true
                held.isLost shouldBe true
            }
        }
    }
})
