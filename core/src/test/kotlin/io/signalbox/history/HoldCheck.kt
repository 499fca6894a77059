package io.signalbox.history

/** A time during which a client believed to hold a permit, by the monotonic clock that all processes of a machine share. */
internal class HoldInterval(
    val token: Long,
    val holder: String,
    val begin: Long,
    /** The last moment at which the permit did not say that it was lost; before its release was called. */
    val end: Long,
) {
    override fun toString(): String = "$token of $holder from $begin to $end"
}

/** Sweeps over [intervals] of one semaphore: every moment at which more than [permits] were held is a violation. */
internal fun overlaps(
    name: String,
    permits: Int,
    intervals: Collection<HoldInterval>,
): List<String> =
    sweep(permits, intervals) { open, at -> "$name: ${open.size} of $permits permits were held at $at: ${open.joinToString()}" }

/**
 * Checks the order of the starts: tokens are handed out in the order of the grants, and permits start in the order of their tokens, over
 * all processes. A permit may be seen late, but it was there when one with a larger token was seen: from then on it is counted as held, and
 * every moment with more than [permits] is a violation.
 */
internal fun overtakings(
    name: String,
    permits: Int,
    intervals: Collection<HoldInterval>,
): List<String> {
    var earliest = Long.MAX_VALUE
    val granted =
        intervals.sortedByDescending { it.token }.map {
            earliest = minOf(earliest, it.begin)
            HoldInterval(it.token, it.holder, begin = earliest, it.end)
        }
    return sweep(permits, granted) { open, at ->
        "$name: at $at there were ${open.size} grants of $permits permits, by their tokens: ${open.joinToString()}"
    }
}

private fun sweep(
    permits: Int,
    intervals: Collection<HoldInterval>,
    complain: (open: Collection<HoldInterval>, at: Long) -> String,
): List<String> {
    val violations = mutableListOf<String>()
    val open = LinkedHashSet<HoldInterval>()
    val byEnd = intervals.sortedBy { it.end }.iterator()
    var next = if (byEnd.hasNext()) byEnd.next() else null
    for (interval in intervals.sortedBy { it.begin }) {
        while (next != null && next.end < interval.begin) {
            open -= next
            next = if (byEnd.hasNext()) byEnd.next() else null
        }
        open += interval
        if (open.size > permits) violations += complain(open, interval.begin)
    }
    return violations
}
