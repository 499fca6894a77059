package io.signalbox.ledger.turns

import io.kotest.core.spec.style.FunSpec
import io.signalbox.history.isFullRun
import kotlin.random.Random
import kotlin.time.Duration.Companion.hours

/**
 * The claims of the protocol of turns and counts, on random schedules of real clients over the in-memory ledger: see [Simulation] and [Truth].
 *
 * The seeds are printed; `-Dsignalbox.schedules.seed` begins with that one, `-Dsignalbox.schedules` has so many be played.
 */
class TurnsSpec : FunSpec({
    timeout = 10.hours.inWholeMilliseconds

    val count = System.getProperty("signalbox.schedules")?.toInt() ?: if (isFullRun) FULL else EVERYDAY
    val first = System.getProperty("signalbox.schedules.seed")?.toLong() ?: Random.nextLong(1_000_000_000)

    test("every claim holds on every schedule") {
        var starts = 0L
        for (seed in first until first + count) {
            try {
                starts += Simulation(seed).run().starts
            } catch (violation: Throwable) {
                throw AssertionError("signalbox.schedules.seed=$seed: ${violation.message}", violation)
            }
        }
        println("TurnsSpec: $count schedules from $first, $starts starts")
    }
}) {
    private companion object {
        const val EVERYDAY = 15
        const val FULL = 30
    }
}
