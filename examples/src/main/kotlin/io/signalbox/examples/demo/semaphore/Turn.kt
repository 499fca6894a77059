package io.signalbox.examples.demo.semaphore

/**
 * One permit in the hands of one worker, from the moment it saw the grant until it let go.
 *
 * The true time of holding begins earlier and ends later, so turns that overlap were certainly held at the same time.
 */
internal class Turn(
    val worker: Int,
    val token: Long,
    /** Not later than the request. */
    val askedAt: Long,
    /** Not earlier than the grant. */
    val grantedAt: Long,
    /** How many permits were held right after the grant, by the server's count. */
    val heldAtGrant: Int = 1,
    /** Not later than the release; null while it lasts. */
    val endedAt: Long? = null,
    /** The worker was alive, and lost the permit all the same. */
    val lost: Boolean = false,
) {
    fun ended(at: Long, lost: Boolean = false) = Turn(worker, token, askedAt, grantedAt, heldAtGrant, at, lost)

    fun lastsAt(moment: Long) = grantedAt <= moment && (endedAt == null || moment < endedAt)
}

/** A holder's death. [turn] is what it held. */
internal class Kill(val at: Long, val turn: Turn)

/**
 * The turn which shows that the permit of a killed holder was given to somebody else: the first one since the kill in
 * which as many others hold as there are permits. Null if there is none.
 */
internal fun comeback(kill: Kill, turns: List<Turn>, permits: Int): Turn? {
    val others = turns.filter { it.token != kill.turn.token && (it.endedAt == null || it.endedAt > kill.at) }
    return others
        .filter { it.grantedAt > kill.at }
        .sortedBy { it.grantedAt }
        .firstOrNull { turn -> others.count { it.lastsAt(turn.grantedAt) } >= permits }
}
