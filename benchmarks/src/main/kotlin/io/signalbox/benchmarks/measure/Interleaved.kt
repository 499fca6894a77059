package io.signalbox.benchmarks.measure

/** Runs [measure] for all of [entries], in [rounds] rounds whose order turns each time, after [warmUp] for each. */
internal suspend fun <E, R> interleaved(
    entries: List<E>,
    rounds: Int,
    warmUp: suspend (E) -> Unit,
    measure: suspend (E) -> R,
): Map<E, List<R>> {
    entries.forEach { warmUp(it) }
    val results = entries.associateWith { mutableListOf<R>() }
    repeat(rounds) { round ->
        val order = if (round % 2 == 0) entries else entries.reversed()
        order.forEach { results.getValue(it) += measure(it) }
    }
    return results
}
