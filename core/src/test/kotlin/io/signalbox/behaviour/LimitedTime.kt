package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.AcquireTimeoutException
import io.signalbox.Attempt
import io.signalbox.getOrElse
import io.signalbox.tryWithPermit
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** `acquire(timeout)`, `tryAcquire(timeout)` and the setting `acquireTimeout`. */
fun SemaphoreBehaviour.waitingForLimitedTime() {
    behaviour("an acquire with a time limit is granted in time") {
        val semaphore = semaphore(permits = 1)
        val first = semaphore.acquire(timeout = PATIENCE)
        val second = start { semaphore.acquire(timeout = PATIENCE) }
        // Called in virtual time both go on elsewhere, and either may come first.
        semaphore.awaitQueue(1)
        val third = start { semaphore.tryAcquire(timeout = PATIENCE) }
        semaphore.awaitQueue(2)
        first.release()
        second.await().release()
        third.await().shouldNotBeNull()
    }

    behaviour("an acquire that is not granted in time fails, and has left the queue") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        val failure = shouldThrow<AcquireTimeoutException> { semaphore.acquire(timeout = 20.milliseconds) }
        failure.semaphore shouldBe "api"
        failure.message shouldContain "'api'"
        failure.message shouldContain "20ms"
        semaphore.awaitQueue(0)
        holder.release()
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("a tryAcquire that is not granted in time returns null, and has left the queue") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        semaphore.tryAcquire(timeout = 20.milliseconds) shouldBe null
        semaphore.awaitQueue(0)
        holder.release()
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("a time limit of zero is one attempt that never waits") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire(timeout = Duration.ZERO)
        shouldThrow<AcquireTimeoutException> { semaphore.acquire(timeout = Duration.ZERO) }
        semaphore.tryAcquire(timeout = Duration.ZERO) shouldBe null
        semaphore.snapshot().queueLength shouldBe 0
        holder.release()
        semaphore.tryAcquire(timeout = Duration.ZERO).shouldNotBeNull()
    }

    behaviour("an infinite time limit waits for ever") {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        val acquire = start { semaphore.acquire(timeout = Duration.INFINITE) }
        val tryAcquire = start { semaphore.tryAcquire(timeout = Duration.INFINITE) }
        semaphore.awaitQueue(2)
        holder.release()
        acquire.await().release()
        tryAcquire.await().shouldNotBeNull().release() shouldBe true
    }

    behaviour("a block with a time limit for its acquire runs if it is granted in time, else the call fails") {
        val semaphore = semaphore(permits = 1)
        semaphore.withPermit(timeout = PATIENCE) { it.permits } shouldBe 1
        val holder = semaphore.acquire()
        shouldThrow<AcquireTimeoutException> { semaphore.withPermit(timeout = 20.milliseconds) { error("not in time") } }
        semaphore.awaitQueue(0)
        holder.release()
    }

    behaviour("a block that returned null is told apart from one that was not in time") {
        val semaphore = semaphore(permits = 1)
        semaphore.tryWithPermit { null } shouldBe semaphore.tryWithPermit(timeout = PATIENCE) { null }
        semaphore.tryWithPermit { "ran" }.getOrElse { "not in time" } shouldBe "ran"
        val holder = semaphore.acquire()
        for (limit in listOf(Duration.ZERO, 20.milliseconds)) {
            semaphore.tryWithPermit(timeout = limit) { null } shouldBe Attempt.NotInTime
            semaphore.tryWithPermit(timeout = limit) { "ran" }.getOrElse { "not in time" } shouldBe "not in time"
        }
        semaphore.awaitQueue(0)
        holder.release() shouldBe true
        semaphore.availablePermits() shouldBe 1
    }

    behaviour("acquireTimeout limits acquires that name no limit, and only those") {
        val semaphore = client().semaphore("api", permits = 1) { acquireTimeout = 20.milliseconds }
        val holder = semaphore.tryAcquire().shouldNotBeNull()
        shouldThrow<AcquireTimeoutException> { semaphore.acquire() }.message shouldContain "20ms"
        shouldThrow<AcquireTimeoutException> { semaphore.withPermit { } }
        val patient = start { semaphore.acquire(timeout = PATIENCE) }
        semaphore.awaitQueue(1)
        holder.release()
        patient.await().holdersAtGrant shouldBe 1
    }
}
