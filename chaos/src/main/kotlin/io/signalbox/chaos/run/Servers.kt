package io.signalbox.chaos.run

import io.signalbox.testkit.RedisProcess
import io.signalbox.testkit.ServerClock
import java.nio.file.Path

/** Raises the servers of each act. */
internal class Servers(
    /** The program, or `null` for the one that the testkit finds. */
    private val program: Path?,
    /** Null where it cannot be had. */
    val clock: ServerClock?,
) : AutoCloseable {
    val stages: List<Stage> = Stage.entries.filter { it != Stage.BENT_CLOCK || clock != null }

    fun raise(stage: Stage): RedisProcess {
        clock?.reset()
        return stage.raise(program, clock)
    }

    fun understudy(stage: Stage): Understudy? = if (stage == Stage.REPLICATED) Understudy(raise(stage)) else null

    override fun close() {
        clock?.close()
    }
}
