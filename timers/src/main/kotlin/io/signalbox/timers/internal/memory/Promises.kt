package io.signalbox.timers.internal.memory

/**
 * The rules by which workers sleep. Each has promised to wake at some moment. Of every moment of interest, one worker is to wake by
 * then (the keeper) and a second one within a bound after it (the deputy), so that a single death delays nothing by more than the
 * bound and nobody else needs to wake at all. Whoever is given a role while asleep is woken, once, to learn of it.
 */
internal fun ScoreSet.secure(
    moment: Long,
    bound: Long,
    now: Long,
    woken: MutableList<Sleeper>,
) {
    dropOverdue(bound, now)
    val (first, second) = upTo(Long.MAX_VALUE - 1).take(2).toList().let { Pair(it.getOrNull(0), it.getOrNull(1)) }
    if (first == null) return
    if (first.score > moment) {
        // Somebody within the bound already is as good as a deputy, and stays that.
        val keeper = if (first.score <= moment + bound && second != null) second else first
        wake(keeper, moment, woken)
        if (keeper === first && second != null && second.score > moment + bound) wake(second, moment + bound, woken)
    } else if (second != null && second.score > moment + bound) {
        wake(second, moment + bound, woken)
    }
}

/** Wakes the next sleeper for timers that are due already; nobody if one is on its way. */
internal fun ScoreSet.passOn(
    bound: Long,
    now: Long,
    woken: MutableList<Sleeper>,
) {
    dropOverdue(bound, now)
    val first = first()
    if (first != null && first.score > now) wake(first, now, woken)
}

private fun ScoreSet.wake(
    sleeper: Scored,
    moment: Long,
    woken: MutableList<Sleeper>,
) {
    this[sleeper.member] = moment
    woken.add(sleeper.member)
}

/** Promises that were not kept: their workers are dead, or will promise anew. */
internal fun ScoreSet.dropOverdue(
    bound: Long,
    now: Long,
) {
    upTo(now - bound / 2 - 1).toList().forEach { remove(it.member) }
}

/** What to promise for [moment], given the promises of others; `null`: nothing. */
internal fun ScoreSet.roleFor(
    moment: Long,
    bound: Long,
): Long? {
    val others = upTo(moment + bound).take(2).toList()
    return when {
        others.isEmpty() || others[0].score > moment -> moment
        others.size < 2 -> moment + bound
        else -> null
    }
}
