package io.signalbox.ledger.turns

import kotlin.random.Random

/** What the network does to messages. Times in milliseconds. */
internal class Weather(
    private val random: Random,
    private val leaseMillis: Long,
) {
    /** From now on everything arrives, once and soon. */
    var isFine: Boolean = false

    private fun sometimes(
        chance: Double,
        vararg values: Double,
    ) = if (random.nextDouble() < chance) values.random(random) else 0.0

    private val lost = sometimes(0.6, 0.02, 0.1, 0.3)
    private val doubled = sometimes(0.6, 0.05, 0.3)
    private val slow = sometimes(0.6, 0.05, 0.3)
    private val verySlow = sometimes(0.3, 0.03)
    private val failing = sometimes(0.3, 0.05)

    fun delay(): Long {
        if (isFine) return random.nextLong(1, 4)
        val luck = random.nextDouble()
        return when {
            luck < verySlow -> random.nextLong(leaseMillis, 3 * leaseMillis)
            luck < slow -> random.nextLong(20, leaseMillis * 9 / 10)
            else -> random.nextLong(1, 20)
        }
    }

    /** When the copies of a message arrive: none if it is lost, several if it is doubled. */
    fun arrivals(): List<Long> {
        if (isFine) return listOf(delay())
        val arrivals = ArrayList<Long>(1)
        if (random.nextDouble() >= lost) arrivals += delay()
        while (random.nextDouble() < doubled) arrivals += delay() * if (random.nextInt(3) == 0) 20 else 1
        return arrivals
    }

    /** Whether a delivery fails with an error. */
    fun fails(): Boolean = !isFine && random.nextDouble() < failing
}
