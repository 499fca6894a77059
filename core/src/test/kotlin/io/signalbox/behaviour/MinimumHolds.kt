package io.signalbox.behaviour

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.comparables.shouldBeGreaterThan
import io.kotest.matchers.comparables.shouldBeLessThanOrEqualTo
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Attempt
import io.signalbox.Permit
import io.signalbox.tryWithPermit
import io.signalbox.withPermit
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.awaitCancellation

/** `minHold`: how long others are kept out, however soon a permit is given back. */
fun SemaphoreBehaviour.minimumHolds() {
    // Heartbeats are minutes away in all of these: who is served in time was woken.
    fun Clients.unhurried(named: String = "") = client {
        lease = 600.seconds
        label = named
    }

    behaviour(
        "a permit given back too soon is nobody's until its minimum hold is over, and goes to the next in the queue then",
        Ability.MINIMUM_HOLDS,
    ) {
        val here = unhurried().semaphore("api", permits = 1)
        val there = unhurried().semaphore("api", permits = 1)
        val permit = here.acquire(minHold = 300.milliseconds)
        val next = start { there.acquire(maxHold = 1.hours) }
        there.awaitQueue(1)
        val own = start { here.acquire() }
        there.awaitQueue(2)
        permit.release() shouldBe true
        permit.isLost shouldBe false
        next.await().run {
            shouldBeLaterThan(permit, 300.milliseconds)
            holdersAtGrant shouldBe 1
            release() shouldBe true
        }
        own.await().release() shouldBe true
        here.availablePermits() shouldBe 1
    }

    behaviour("it is kept when its client is closed behind the release, and who comes later waits for it as well", Ability.MINIMUM_HOLDS) {
        val gone = unhurried()
        val permit = gone.semaphore("api", permits = 1).acquire(minHold = 300.milliseconds)
        val there = unhurried().semaphore("api", permits = 1)
        val next = start { there.acquire(maxHold = 1.hours) }
        there.awaitQueue(1)
        val word = start { permit.release() }
        gone.closeAndJoin()
        word.await() shouldBe true
        val last = start { unhurried().semaphore("api", permits = 1).acquire() }
        next.await().run {
            shouldBeLaterThan(permit, 300.milliseconds)
            release()
        }
        last.await().release() shouldBe true
    }

    behaviour("closing a client that holds it keeps it as a release does", Ability.MINIMUM_HOLDS) {
        val gone = unhurried()
        val semaphore = gone.semaphore("api", permits = 3)
        val permit = semaphore.acquire(permits = 2, minHold = 300.milliseconds)
        semaphore.acquire()
        gone.closeAndJoin()
        permit.isLost shouldBe true
        val there = unhurried().semaphore("api", permits = 3)
        there.tryAcquire().shouldNotBeNull()
        there.acquire(permits = 2).shouldBeLaterThan(permit, 300.milliseconds)
    }

    behaviour("while it is kept nobody is granted it, and a snapshot tells who had it", Ability.MINIMUM_HOLDS) {
        val here = unhurried("the night: run 7").semaphore("api", permits = 3)
        val there = semaphore(permits = 3)
        val permit = here.acquire(permits = 2, minHold = 1.hours)
        here.snapshot().holders.single().isKept shouldBe false
        permit.release() shouldBe true
        there.availablePermits() shouldBe 1
        there.tryAcquire(permits = 2) shouldBe null
        here.tryAcquire(permits = 2, timeout = 20.milliseconds) shouldBe null
        // It has given up its place in the queue, and then that is said.
        there.awaitQueue(0)
        val held = there.tryAcquire().shouldNotBeNull()
        there.isLocked() shouldBe true
        val (kept, plain) = there.fullSnapshot().holders.sortedBy { it.fencingToken }
        kept.run {
            isKept shouldBe true
            label shouldBe "the night: run 7"
            fencingToken shouldBe permit.fencingToken
            permits shouldBe 2
            remainingLease shouldBeLessThanOrEqualTo 1.hours
            remainingLease shouldBeGreaterThan 50.minutes
            remainingHold shouldBe remainingLease
        }
        plain.isKept shouldBe false
        held.release() shouldBe true
        here.resize(5)
        there.tryAcquire(permits = 3).shouldNotBeNull().holdersAtGrant shouldBe 5
    }

    behaviour("revoking frees at once what is kept, and keeps nothing of what is held", Ability.MINIMUM_HOLDS, Ability.ORDERS) {
        val holder = client {
            label = "clüb: 7:1"
            lease = 1.seconds
        }.semaphore("api", permits = 2)
        val kept = holder.acquire(minHold = 1.hours)
        val held = holder.acquire(minHold = 1.hours)
        kept.release() shouldBe true
        val operator = unhurried().semaphore("api", permits = 2)
        val next = start { operator.acquire() }
        operator.awaitQueue(1)
        operator.revoke(kept.fencingToken) shouldBe true
        next.await().holdersAtGrant shouldBe 2
        operator.revoke(kept.fencingToken) shouldBe false
        operator.revoke(held.fencingToken) shouldBe true
        operator.acquire().holdersAtGrant shouldBe 2
    }

    behaviour("deleting ends what is kept", Ability.MINIMUM_HOLDS, Ability.ORDERS) {
        val semaphore = semaphore(permits = 1)
        val permit = semaphore.acquire(minHold = 1.hours)
        permit.release() shouldBe true
        semaphore.delete() shouldBe true
        semaphore(permits = 1).acquire().fencingToken shouldBeGreaterThan permit.fencingToken
    }

    behaviour("a permit held for longer than its minimum is free at once", Ability.MINIMUM_HOLDS) {
        val semaphore = semaphore(permits = 2)
        val brief = semaphore.acquire(minHold = 20.milliseconds)
        semaphore.acquire(minHold = 40.milliseconds).release() shouldBe true
        // That time has passed when this is granted.
        semaphore.acquire().release() shouldBe true
        brief.release() shouldBe true
        semaphore.tryAcquire(permits = 2).shouldNotBeNull()
    }

    behaviour("a minimum of zero is none") {
        val semaphore = semaphore(permits = 1)
        semaphore.acquire(minHold = Duration.ZERO).release() shouldBe true
        semaphore.awaitAvailable(1)
        semaphore.tryAcquire(minHold = Duration.ZERO).shouldNotBeNull().release() shouldBe true
        semaphore.awaitAvailable(1)
        semaphore.withPermit(minHold = Duration.ZERO) { semaphore.fullSnapshot().holders.single().remainingHold } shouldBe null
    }

    behaviour(
        "a minimum and a max hold go together: what is lost at its end is free then, and what is given back before is not",
        Ability.MINIMUM_HOLDS,
    ) {
        val semaphore = semaphore(permits = 1)
        val lost = semaphore.acquire(maxHold = 200.milliseconds, minHold = 200.milliseconds)
        lost.awaitLoss()
        val permit = semaphore.acquire(timeout = PATIENCE, maxHold = 10.minutes, minHold = 200.milliseconds)
        permit.shouldBeLaterThan(lost, 200.milliseconds)
        semaphore.fullSnapshot().holders.single().remainingHold.shouldNotBeNull() shouldBeGreaterThan 9.minutes
        permit.release() shouldBe true
        semaphore.tryAcquire() shouldBe null
        semaphore.acquire(maxHold = 1.hours).shouldBeLaterThan(permit, 200.milliseconds)
    }

    behaviour("the end of a block waits for no minimum", Ability.MINIMUM_HOLDS) {
        val semaphore = semaphore(permits = 1)
        semaphore.withPermit(minHold = 1.hours) { it.permits } shouldBe 1
        semaphore.tryWithPermit(minHold = 1.hours) { error("not in time") } shouldBe Attempt.NotInTime
        semaphore.availablePermits() shouldBe 0
        val other = client().semaphore("other", permits = 1)
        other.tryWithPermit(minHold = 1.hours) { it.permits } shouldBe Attempt.Ran(1)
        shouldThrow<IllegalStateException> { client().semaphore("third", permits = 1).withPermit(minHold = 1.hours) { error("broken") } }
            .message shouldBe "broken"
        other.tryAcquire(timeout = 20.milliseconds).shouldBeNull()
        client().semaphore("third", permits = 1).tryAcquire().shouldBeNull()
    }

    behaviour("an acquire that gives up in the queue keeps nothing", Ability.MINIMUM_HOLDS) {
        val semaphore = semaphore(permits = 1)
        val holder = semaphore.acquire()
        semaphore.tryAcquire(timeout = 20.milliseconds, minHold = 1.hours) shouldBe null
        val waiting = start { semaphore.withPermit(minHold = 1.hours) { awaitCancellation() } }
        semaphore.awaitQueue(1)
        waiting.cancel()
        semaphore.awaitQueue(0)
        holder.release() shouldBe true
        semaphore.acquire().release() shouldBe true
    }

    behaviour("a minimum that is negative, infinite, or longer than the max hold is refused by name and value", Ability.MINIMUM_HOLDS) {
        val semaphore = semaphore(permits = 1)
        for ((hold, shown) in listOf((-1).seconds to "-1s", 366.days to "366d")) {
            val refusal = shouldThrow<IllegalArgumentException> { semaphore.acquire(minHold = hold) }
            refusal.message shouldContain "minHold"
            refusal.message shouldContain shown
        }
        shouldThrow<IllegalArgumentException> { semaphore.acquire(maxHold = 1.seconds, minHold = 2.seconds) }.message shouldContain
            "minHold must be at most maxHold, 1s, but was 2s"
        val limited = client().semaphore("api", permits = 1) { maxHold = 1.seconds }
        shouldThrow<IllegalArgumentException> { limited.tryAcquire(minHold = 2.seconds) }.message shouldContain "maxHold, 1s, but was 2s"
        semaphore.availablePermits() shouldBe 1
    }
}

/** Tokens are made of the server's clock; of permits with a limit, and of several at once, at the moment of the grant. */
private fun Permit.shouldBeLaterThan(
    other: Permit,
    time: Duration,
) = (fencingToken - other.fencingToken) shouldBeGreaterThanOrEqual (time - 1.milliseconds).inWholeMicroseconds
