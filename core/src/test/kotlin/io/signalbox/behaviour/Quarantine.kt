package io.signalbox.behaviour

import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.shouldBe
import io.signalbox.AfterDataLoss
import io.signalbox.Signalbox
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

/** `AfterDataLoss.QUARANTINE`: nothing is granted for one lease after each creation. */
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
        val joiner = semaphore(permits = 2)
        val first = start { joiner.acquire(permits = 2) }
        joiner.awaitQueue(1)
        val second = start { creator.acquire() }
        joiner.awaitQueue(2)
        first.await().release()
        begin.elapsedNow() shouldBeGreaterThanOrEqualTo 1.seconds
        second.await().holdersAtGrant shouldBe 1
        joiner.tryAcquire()?.holdersAtGrant shouldBe 2
    }

    behaviour("joining begins no quarantine") {
        semaphore(permits = 2)
        client { lease = 10.minutes }.quarantined().tryAcquire()?.holdersAtGrant shouldBe 1
    }
}

private suspend fun Signalbox.quarantined() = semaphore("api", permits = 2) { afterDataLoss = AfterDataLoss.QUARANTINE }

private suspend fun io.signalbox.Semaphore.acquireTimesOut(limit: Duration) {
    tryAcquire(timeout = limit) shouldBe null
}
