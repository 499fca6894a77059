package io.signalbox.history

/** A time during which a client believed to hold a permit, by the monotonic clock that all processes of a machine share. */
internal class HoldInterval(
    val token: Long,
    val holder: String,
    val begin: Long,
    /** The last moment at which the permit did not say that it was lost; before its release was called. */
    val end: Long,
)

/** Sweeps over [intervals] of one semaphore: every moment at which more than [permits] were held is a violation. */
internal fun overlaps(
    name: String,
    permits: Int,
    intervals: Collection<HoldInterval>,
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
        if (open.size > permits) {
            violations +=
                "$name: ${open.size} of $permits permits were held at ${interval.begin}: ${open.joinToString {
                    "${it.token} of ${it.holder} from ${it.begin} to ${it.end}"
                }}"
        }
    }
    return violations
}
