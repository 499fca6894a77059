package io.signalbox.timers.internal

import io.signalbox.timers.internal.ledger.Position

/** Where the next page begins, as text: the moment, the length of the topic's name, the name and the id. */
internal object Cursors {
    private val FORM = Regex("""(\d{1,17})\.(\d{1,4})\.(.*)""", RegexOption.DOT_MATCHES_ALL)

    fun encode(
        topic: String,
        position: Position,
    ): String = "${position.moment}.${topic.length}.$topic${position.id}"

    fun decode(cursor: String): Pair<String, Position> {
        val (moment, length, rest) = requireNotNull(FORM.matchEntire(cursor)) {
            "after must be what the page before gave as next."
        }.destructured
        require(length.toInt() <= rest.length) { "after must be what the page before gave as next." }
        return Pair(rest.take(length.toInt()), Position(moment.toLong(), rest.drop(length.toInt())))
    }
}
