package io.signalbox.history

/**
 * Checks the writes that a fenced register has [accepted], as pairs of token and value, in order. Each writer read a value and
 * wrote one more: a token that goes back, or a value that does not go on by one, is an update that was lost.
 */
internal fun registerViolations(
    name: String,
    accepted: List<Pair<Long, Long>>,
): List<String> {
    val violations = mutableListOf<String>()
    var last = 0L to 0L
    for (write in accepted) {
        if (write.first < last.first) violations += "$name: a write with token ${write.first} was accepted after ${last.first}"
        if (write.second != last.second + 1) violations += "$name: an update was lost: ${write.second} was written over ${last.second}"
        last = write
    }
    return violations
}
