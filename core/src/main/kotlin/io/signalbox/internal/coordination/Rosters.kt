package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Roster

/**
 * When a session tells which permits it holds by count. The ledger knows the tokens that it gave itself, and cannot know which of them
 * were handed on since; nothing but a snapshot depends on it. Guarded by the coordinator's lock.
 */
internal class Rosters(
    private val session: ClientSession,
) {
    /** Sums over the permits that run: which they are, as good as certainly. */
    private var sum = 0L
    private var saidSum = 0L
    private var saidAt = Long.MIN_VALUE

    /** Whether a permit was handed on since the last roster. */
    var handedOn: Boolean = false
        private set

    fun started(permit: HeldPermit) {
        sum += mixed(permit.fencingToken)
    }

    fun ended(permit: HeldPermit) {
        sum -= mixed(permit.fencingToken)
    }

    fun handedOn() {
        handedOn = true
    }

    /** What was said last did not arrive. */
    fun repeat() {
        saidSum = sum.inv()
        saidAt = Long.MIN_VALUE
    }

    private fun mixed(token: Long): Long = (token xor (token ushr 17)) * -0x61c8864680b583ebL

    /** The roster to send with an exchange that leaves now, or `null` if there is nothing new, or it is too long to be sent again so soon. */
    fun next(now: Long): Roster? {
        if (sum == saidSum) {
            handedOn = false
            return null
        }
        if (session.cohort.running > SHORT && saidAt != Long.MIN_VALUE && now - saidAt < PAUSE_NANOS) return null
        saidSum = sum
        saidAt = now
        handedOn = false
        val running = session.plain.first(Roster.MOST).sortedBy { it.fencingToken }
        return Roster(
            waitingSince = session.cohort.longestWaiting?.let { session.serverTime(it.since).coerceAtLeast(1) } ?: 0,
            running = runs(running),
        )
    }

    private fun runs(permits: List<HeldPermit>): List<Roster.Running> {
        val runs = ArrayList<Roster.Running>()
        for (permit in permits) {
            val since = session.serverTime(permit.grantedAt).coerceAtLeast(0)
            val last = runs.lastOrNull()
            if (last != null && last.token + last.count == permit.fencingToken && last.since == since) {
                runs[runs.lastIndex] = last.copy(count = last.count + 1)
            } else {
                runs += Roster.Running(permit.fencingToken, 1, since)
            }
        }
        return runs
    }

    companion object {
        /** So many are told with each exchange that changes them; longer ones with a pause. */
        private const val SHORT = 16
        private const val PAUSE_NANOS = 500_000_000L

        /** At the latest so long after a permit was handed on, an exchange tells of it. */
        const val LATEST_NANOS = 1_000_000_000L
    }
}
