package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.chaos.run.Stage
import kotlin.random.Random
import kotlinx.coroutines.sync.withLock

/** The server's clock jumps ahead, by a moment or by an hour: leases end early. */
internal object ClockForward : Fault("clock-forward", setOf(Stage.BENT_CLOCK), weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock { arena.losing(ofWrites = false) { arena.clock!!.secondsAhead += seconds(random) } }
}

/** The server's clock is set back, by a moment or by an hour. Costs nothing. */
internal object ClockBack : Fault("clock-back", setOf(Stage.BENT_CLOCK), weight = 4) {
    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock { arena.clock!!.secondsAhead -= seconds(random) }
}

private fun seconds(random: Random): Double =
    when (random.nextInt(4)) {
        0 -> 3600.0
        1 -> 60.0
        else -> random.nextDouble(0.01, 3.0)
    }
