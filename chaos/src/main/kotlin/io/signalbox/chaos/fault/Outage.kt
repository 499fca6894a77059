package io.signalbox.chaos.fault

import io.signalbox.chaos.run.Arena
import io.signalbox.chaos.run.Stage
import kotlin.random.Random
import kotlinx.coroutines.sync.withLock

/** A fault that breaks the server or its settings, and mends it a while later. Nobody else may meanwhile. */
internal abstract class Outage(
    kind: String,
    private val millis: LongRange,
    stages: Set<Stage> = Stage.entries.toSet(),
    weight: Int = 2,
) : Fault(kind, stages, weight) {
    abstract fun Arena.begin(random: Random)

    abstract suspend fun Arena.end(random: Random)

    override suspend fun strike(
        arena: Arena,
        random: Random,
    ) = arena.helm.withLock {
        arena.begin(random)
        linger(random, millis.first, millis.last)
        arena.end(random)
    }
}

/** [setting] of the server is [broken] for a while, and then [whole]. */
internal abstract class WrongSetting(
    kind: String,
    millis: LongRange,
    private val setting: String,
    private val broken: String,
    private val whole: String,
    weight: Int = 2,
) : Outage(kind, millis, weight = weight) {
    override fun Arena.begin(random: Random) = set(broken)

    override suspend fun Arena.end(random: Random) = set(whole)

    private fun Arena.set(value: String) {
        command("CONFIG", "SET", setting, value)
    }
}
