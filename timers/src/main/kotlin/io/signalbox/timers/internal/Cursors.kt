package io.signalbox.timers.internal

import io.signalbox.timers.internal.ledger.Position

/** Where the next page begins, as text: the place on the timeline, the length of the topic's name, the name and the id. */
internal object Cursors {
    private val FORM = Regex("""(-?\d{1,19})\.(\d{1,4})\.(.*)""", RegexOption.DOT_MATCHES_ALL)
    private const val UNKNOWN = "after must be what the page before gave as next."

    fun encode(
        topic: String,
        position: Position,
    ): String = "${position.moment}.${topic.length}.$topic${position.id}"

    fun decode(cursor: String): Pair<String, Position> {
        val (moment, length, rest) = requireNotNull(FORM.matchEntire(cursor)) { UNKNOWN }.destructured
        require(length.toInt() <= rest.length) { UNKNOWN }
        val position = Position(requireNotNull(moment.toLongOrNull()) { UNKNOWN }, rest.drop(length.toInt()))
        return Pair(rest.take(length.toInt()), position)
    }
}
