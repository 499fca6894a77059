package io.signalbox.behaviour

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSnapshot
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay

// What a test waits for where the store hears of something later than the caller.

/** Returns when so many permits are free: a client declares a permit lost before the store hears of it. */
suspend fun Semaphore.awaitAvailable(permits: Int) {
    eventually(PATIENCE) { availablePermits() shouldBe permits }
}

/** A snapshot with all who hold: a pool learns of a grant before it learns of its holder. */
suspend fun Semaphore.fullSnapshot(): SemaphoreSnapshot =
    eventually(PATIENCE) { snapshot().also { full -> full.holders.sumOf { it.permits } shouldBe full.heldPermits } }

/**
 * Returns when the store has renewed the lease of the only holder; fails when that has ended instead.
 *
 * Runs where it is called, all of it, so that [eventually] is not for it.
 */
suspend fun Semaphore.awaitRenewal() {
    var least = Duration.INFINITE
    while (true) {
        val rest = snapshot().holders.single().remainingLease
        if (rest > least + RENEWAL) return
        least = minOf(least, rest)
        delay(20.milliseconds)
    }
}

/** What is left of a lease never grows, except by more than this when it is renewed. */
private val RENEWAL = 100.milliseconds
