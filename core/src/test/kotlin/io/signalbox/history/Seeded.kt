package io.signalbox.history

import kotlin.random.Random

/** With `-Dsignalbox.bugs=all`, as `-Pfull` has it. */
internal val isFullRun: Boolean = System.getProperty("signalbox.bugs") == "all"

/**
 * Those of [bugs] that are to be found in this run: some of them, others each time; all of them with `-Dsignalbox.bugs=all`, as `-Pfull`
 * has it.
 */
internal fun <B> seeded(
    bugs: List<B>,
    everyday: Int,
): List<B> = if (isFullRun) bugs else bugs.shuffled(Random(System.nanoTime())).take(everyday)
