package io.signalbox.history

/** A time during which a client believed to hold a permit, by the monotonic clock that all processes of a machine share. */
internal class HoldInterval(
    val token: Long,
    val holder: String,
    val begin: Long,
    /** The last moment at which the permit did not say that it was lost; before its release was called. */
    val end: Long,
    val permits: Int = 1,
) {
    override fun toString(): String = "$token of $holder from $begin to $end" + if (permits == 1) "" else ", $permits permits"
}

/** A moment at which more permits were held than there are. */
internal class Excess(
    val at: Long,
    val held: Int,
    val open: List<HoldInterval>,
)

/** Sweeps over [intervals] of one semaphore: every moment at which more than [permits] were held is a violation. */
internal fun overlaps(
    name: String,
    permits: Int,
    intervals: Collection<HoldInterval>,
): List<String> =
    excesses(permits, intervals).map { "$name: ${it.held} of $permits permits were held at ${it.at}: ${it.open.joinToString()}" }

/**
 * Checks the order of the starts: tokens are handed out in the order of the grants, and permits start in the order of their tokens, over
 * all processes. A permit may be seen late, but it was there when one with a larger token was seen: from then on it is counted as held, and
 * every moment with more than [permits] is a violation.
 */
internal fun overtakings(
    name: String,
    permits: Int,
    intervals: Collection<HoldInterval>,
): List<String> =
    excesses(permits, grants(intervals)).map {
        "$name: at ${it.at} there were ${it.held} grants of $permits permits, by their tokens: ${it.open.joinToString()}"
    }

/** The [intervals], each from the moment on at which it or one with a larger token was seen. */
internal fun grants(intervals: Collection<HoldInterval>): List<HoldInterval> {
    var earliest = Long.MAX_VALUE
    return intervals.sortedByDescending { it.token }.map {
        earliest = minOf(earliest, it.begin)
        HoldInterval(it.token, it.holder, begin = earliest, it.end, it.permits)
    }
}

/** Every begin of an interval at which more than [permits] were held. */
internal fun excesses(
    permits: Int,
    intervals: Collection<HoldInterval>,
): List<Excess> {
    val found = mutableListOf<Excess>()
    val open = LinkedHashSet<HoldInterval>()
    var held = 0
    val byEnd = intervals.sortedBy { it.end }.iterator()
    var next = if (byEnd.hasNext()) byEnd.next() else null
    for (interval in intervals.sortedBy { it.begin }) {
        while (next != null && next.end < interval.begin) {
            if (open.remove(next)) held -= next.permits
            next = if (byEnd.hasNext()) byEnd.next() else null
        }
        open += interval
        held += interval.permits
        if (held > permits) found += Excess(interval.begin, held, open.toList())
    }
    return found
}
