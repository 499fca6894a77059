package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
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

    behaviour("joining begins no quarantine") {
        semaphore(permits = 2)
        client { lease = 10.minutes }.quarantined().tryAcquire()?.holdersAtGrant shouldBe 1
    }
}

private suspend fun Signalbox.quarantined() = semaphore("api", permits = 2) { afterDataLoss = AfterDataLoss.QUARANTINE }

private suspend fun io.signalbox.Semaphore.acquireTimesOut(limit: Duration) {
    tryAcquire(timeout = limit) shouldBe null
}
