package io.signalbox.timers.internal.ledger

/**
 * The places of timers on a timeline: a millisecond and a place in it, so that timers of one millisecond keep the order in which they were
 * set. Exact from 1970 to 2109, with [PLACES] places; after that a sorted set's numbers leave fewer. `lua/common.lua` counts the same way.
 */
internal object Scores {
    const val PLACES = 4096L
    private const val MIDDLE = 1L shl 41
    private const val EXACT = 1L shl 53

    /** The first place of a millisecond. */
    fun of(millis: Long): Long = (millis - MIDDLE) * PLACES

    fun millis(score: Long): Long = Math.floorDiv(score, PLACES) + MIDDLE

    /** The place behind [last] in the same millisecond, or [last] if there is none. */
    fun behind(last: Long): Long {
        val first = of(millis(last))
        var step = 1L
        while (Math.abs(first) / step >= EXACT) step *= 2
        return if (last + step < first + PLACES) last + step else last
    }
}
