package io.signalbox.ledger.turns

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.nulls.shouldNotBeNull
import io.signalbox.history.seeded
import kotlin.random.Random

/** What [TurnsSpec] looks at would see each of the [LineBugs]. */
class LineBugsSpec : FunSpec({
    val first = System.getProperty("signalbox.schedules.seed")?.toLong() ?: Random.nextLong(1_000_000_000)

    for (bug in seeded(LineBugs.all, everyday = 3)) {
        test("it is found out when ${bug.name}") {
            val caught =
                (first until first + TO_CATCH).firstNotNullOfOrNull { seed ->
                    runCatching { Simulation(seed, bug).run() }.exceptionOrNull()?.let { seed to it }
                }
            caught.shouldNotBeNull()
            println("${bug.name}: schedule ${caught.first - first + 1}: ${caught.second.message?.lineSequence()?.first()}")
        }
    }
}) {
    private companion object {
        const val TO_CATCH = 1000
    }
}
