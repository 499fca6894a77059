package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.awaitCancellation

/** The setting `maxHold`, and `Permit.extend`. */
fun SemaphoreBehaviour.limitedHolds() {
    behaviour("a permit is lost when its max hold has passed, and goes to the next in the queue") {
        val here = client().semaphore("api", permits = 1) { maxHold = 50.milliseconds }
        val there = semaphore(permits = 1)
        val permit = here.acquire()
        val next = start { there.acquire() }
        permit.awaitLoss()
        permit.isLost shouldBe true
        next.await().holdersAtGrant shouldBe 1
    }

    behaviour("an acquire may limit its own hold, whatever the handle says") {
        val semaphore = semaphore(permits = 3)
        val brief = semaphore.acquire(maxHold = 50.milliseconds)
        val several = semaphore.acquire(permits = 2, timeout = PATIENCE, maxHold = 50.milliseconds)
        brief.awaitLoss()
        several.awaitLoss()
        semaphore.acquire(permits = 3).run {
            remainingHold(semaphore) shouldBe null
            release() shouldBe true
        }
        semaphore.tryAcquire(maxHold = 10.minutes).shouldNotBeNull().extend(20.minutes) shouldBe true
        semaphore.tryAcquire(permits = 3, timeout = 20.milliseconds, maxHold = 10.minutes) shouldBe null
        shouldThrow<LeaseLostException> { semaphore.withPermit(maxHold = 30.milliseconds) { awaitCancellation() } }
        shouldThrow<IllegalArgumentException> { semaphore.acquire(maxHold = Duration.ZERO) }.message shouldContain "maxHold"
    }

    behaviour("an acquire may do without the limit of its handle") {
        val semaphore = client().semaphore("api", permits = 2) { maxHold = 10.minutes }
        semaphore.acquire(maxHold = Duration.INFINITE).remainingHold(semaphore) shouldBe null
        semaphore.acquire().remainingHold(semaphore).shouldNotBeNull()
    }

    behaviour("several permits are lost and given back as one") {
        val semaphore = client().semaphore("api", permits = 3) { maxHold = 50.milliseconds }
        val permit = semaphore.acquire(permits = 3)
        val next = start { semaphore.acquire(permits = 3) }
        permit.awaitLoss()
        next.await().holdersAtGrant shouldBe 3
    }

    behaviour("a permit granted from the queue has its max hold from the grant on") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 10.minutes }
        val holder = semaphore.acquire()
        val waiting = start { semaphore.acquire() }
        semaphore.awaitQueue(1)
        holder.extend(20.minutes) shouldBe true
        holder.release() shouldBe true
        waiting.await().remainingHold(semaphore).shouldNotBeNull() shouldBeLessThanOrEqualTo 10.minutes
    }

    behaviour("a permit released in time is not lost later") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 300.milliseconds }
        val permit = semaphore.releasedInTime()
        // The next permit ends later than this one would have.
        semaphore.acquire().awaitLoss()
        permit.isLost shouldBe false
    }

    behaviour("max hold is a matter of the holder's client: others hold without limit") {
        client().semaphore("api", permits = 2) { maxHold = 10.minutes }.acquire()
        val other = semaphore(permits = 2)
        other.acquire().remainingHold(other) shouldBe null
        other.fullSnapshot().holders.count { it.remainingHold != null } shouldBe 1
    }

    behaviour("extending moves the end of the hold, either way") {
        val semaphore = client().semaphore("api", permits = 2) { maxHold = 10.minutes }
        val permit = semaphore.acquire(permits = 2)
        permit.remainingHold(semaphore).shouldNotBeNull() shouldBeLessThanOrEqualTo 10.minutes
        permit.extend(2.hours) shouldBe true
        permit.remainingHold(semaphore).shouldNotBeNull() shouldBeGreaterThan 1.hours
        permit.loseNow()
        semaphore.acquire(permits = 2).holdersAtGrant shouldBe 2
    }

    behaviour("extending a lost permit returns false") {
        val semaphore = client().semaphore("api", permits = 1) { maxHold = 30.milliseconds }
        val permit = semaphore.acquire()
        permit.awaitLoss()
        permit.extend(1.hours) shouldBe false
        permit.isLost shouldBe true
        semaphore.acquire().holdersAtGrant shouldBe 1
    }

    behaviour("extending what has no limit, or was released, is a mistake of the caller") {
        val unlimited = semaphore(permits = 1).acquire()
        shouldThrow<IllegalStateException> { unlimited.extend(1.hours) }.message shouldContain "maxHold"
        val released = client().semaphore("b", permits = 1) { maxHold = 10.minutes }.acquire()
        released.release()
        shouldThrow<IllegalStateException> { released.extend(1.hours) }.message shouldContain "released"
    }
}

/** A permit that was released before its hold was over, [whileHeld] having been called with it. */
suspend fun Semaphore.releasedInTime(whileHeld: (Permit) -> Unit = {}): Permit {
    while (true) {
        val permit = acquire().also(whileHeld)
        if (permit.release()) return permit
    }
}

private suspend fun Permit.remainingHold(semaphore: Semaphore): Duration? =
    semaphore.fullSnapshot().holders.single { it.fencingToken == fencingToken }.remainingHold
