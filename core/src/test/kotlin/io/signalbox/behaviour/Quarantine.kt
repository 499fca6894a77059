package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.AfterDataLoss
import io.signalbox.Signalbox
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** `AfterDataLoss.QUARANTINE`: nothing is granted for the longest lease that clients may have after each creation. */
fun SemaphoreBehaviour.quarantine() {
    behaviour("a semaphore created in quarantine grants nothing at first, to no client") {
        val creator = client { lease = 10.minutes }.quarantined()
        val joiner = semaphore(permits = 2)
        creator.tryAcquire() shouldBe null
        joiner.tryAcquire() shouldBe null
        joiner.acquireTimesOut(20.milliseconds)
        creator.isLocked() shouldBe true
        joiner.isLocked() shouldBe true
        creator.snapshot().heldPermits shouldBe 0
    }

    behaviour("after one lease it grants, first come, first served", Ability.SHARED_QUEUE) {
        val begin = TimeSource.Monotonic.markNow()
        val creator = client { lease = 1.seconds }.quarantined()
        val joiner = client { lease = 1.seconds }.semaphore("api", permits = 2)
        val first = start { joiner.acquire(permits = 2) }
        // If this process was paused until the quarantine was over, it is not in the queue any more, but has both permits.
        eventually(PATIENCE) { (first.isCompleted || joiner.snapshot().queueLength == 1) shouldBe true }
        val second = start { creator.acquire() }
        eventually(PATIENCE) { (first.isCompleted || joiner.snapshot().queueLength == 2) shouldBe true }
        first.await().release()
        // The store counts in whole milliseconds.
        begin.elapsedNow() shouldBeGreaterThanOrEqualTo 999.milliseconds
        second.await().holdersAtGrant shouldBe 1
        joiner.tryAcquire()?.holdersAtGrant shouldBe 2
    }

    behaviour("a client whose lease is longer than a quarantine is refused, and told what to do") {
        client { lease = 2.seconds }.quarantined()
        for (call in listOf<suspend Signalbox.() -> Unit>({ quarantined() }, { semaphore("api", permits = 2) }, { attach("api") })) {
            val refusal = shouldThrow<IllegalArgumentException> { client { lease = 20.seconds }.call() }
            refusal.message shouldContain "20s"
            refusal.message shouldContain "2s"
            refusal.message shouldContain "longestLease"
        }
    }

    behaviour("who creates it says how long leases may be, and a quarantine lasts so long") {
        val creator = client { lease = 1.seconds }.quarantined(longest = 10.minutes)
        client { lease = 10.minutes }.quarantined(longest = 20.minutes).tryAcquire() shouldBe null
        creator.acquireTimesOut(1200.milliseconds)
        shouldThrow<IllegalArgumentException> { client { lease = 11.minutes }.attach("api") }
    }

    behaviour("a longest lease is for a quarantine, and not shorter than the client's own", Ability.KOTLIN_SETTINGS) {
        val client = client { lease = 10.seconds }
        shouldThrow<IllegalArgumentException> { client.quarantined(longest = 9.seconds) }.message shouldContain "10s"
        shouldThrow<IllegalArgumentException> { client.semaphore("api", 1) { longestLease = 10.seconds } }.message shouldContain
            "QUARANTINE"
        shouldThrow<IllegalArgumentException> { client.quarantined(longest = 25.hours) }.message shouldContain "1d 1h"
    }

    behaviour("joining begins no quarantine") {
        semaphore(permits = 2)
        client { lease = 10.minutes }.quarantined().tryAcquire()?.holdersAtGrant shouldBe 1
    }
}

private suspend fun Signalbox.quarantined(longest: Duration? = null) =
    semaphore("api", permits = 2) {
        afterDataLoss = AfterDataLoss.QUARANTINE
        longestLease = longest
    }

private suspend fun io.signalbox.Semaphore.acquireTimesOut(limit: Duration) {
    tryAcquire(timeout = limit) shouldBe null
}
