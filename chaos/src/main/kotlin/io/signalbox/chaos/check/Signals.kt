package io.signalbox.chaos.check

import io.signalbox.chaos.client.Bell
import io.signalbox.chaos.client.What

/**
 * H, events: what was set was received or is kept, once.
 *
 * A set that failed may have been carried out. A process that is killed may have received a signal for each of its awaits, or said nothing
 * of it; and what a client received in the lease before it lost its session goes to the next one as well.
 *
 * Where acknowledged writes were lost, signals that were set before may be, and those that were received then may be received again.
 */
internal fun signals(
    testimony: Testimony,
    bell: Bell,
): List<Violation> {
    var set = 0
    var mustStay = 0
    var mayHaveCome = 0
    var maybeSet = 0
    var got = 0
    var maybeGot = 0
    var maybeTwice = 0
    for (life in testimony.lives) {
        val open = HashMap<Int, What>()
        val askedAt = HashMap<Int, Long>()
        val lines = life.lines.filter { it.thing == bell.title }
        for (line in lines) {
            // The call before this one ended with an exception.
            if (line.what == What.SETTING && open[line.worker] == What.SETTING) maybeSet++
            if (line.what == What.SETTING) askedAt[line.worker] = line.nanos
            if (line.what == What.SET) {
                set++
                if (askedAt.getValue(line.worker) > testimony.lastLossNanos) mustStay++
            }
            if (line.what == What.GOT) {
                got++
                if (line.nanos > testimony.lastLossNanos) mayHaveCome++
            }
            open[line.worker] = line.what
        }
        maybeSet += open.values.count { it == What.SETTING }
        if (life.wasKilled) maybeGot += open.values.count { it == What.AWAITING }
        maybeTwice += lines.count { it.what == What.GOT && mayBeRepeated(testimony, life, it.nanos) }
    }
    val left = testimony.signalsLeft.getValue(bell.title)
    val accounts =
        "$set set ($mustStay since writes were lost) and $maybeSet maybe, $got received ($mayHaveCome since), $maybeGot maybe and " +
            "$maybeTwice maybe twice, $left left"
    return listOfNotNull(
        "signals were lost: $accounts".takeIf { mayHaveCome + maybeGot + left < mustStay },
        "signals were doubled: $accounts".takeIf { got + left > set + maybeSet + maybeTwice },
    ).map { Violation('H', bell.title, it) }
}

/**
 * Whether the client may have lost its session before it could say that it received a signal at [nanos]: something was in its way within a
 * lease; or the session was over, without its knowing, when it received it.
 */
private fun mayBeRepeated(
    testimony: Testimony,
    life: Life,
    nanos: Long,
): Boolean {
    val lease = nanos..nanos + life.leaseMillis * 1_000_000L
    return (life.wasKilled && (life.lines.lastOrNull()?.nanos ?: 0) <= lease.last) ||
        testimony.strikes.any { it.begin <= lease.last && it.end >= lease.first } ||
        testimony.isExcused(nanos)
}
