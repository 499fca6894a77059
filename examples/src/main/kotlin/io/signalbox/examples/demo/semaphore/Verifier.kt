package io.signalbox.examples.demo.semaphore

import kotlin.time.Duration.Companion.nanoseconds

/** Judges a run: one finding for each promise of the semaphore that it puts to the test. */
internal fun verify(evidence: Evidence): List<Finding> = with(evidence) {
    listOfNotNull(
        neverTooManyHolders(),
        tokensGrow(),
        registerIsFenced(),
        killedPermitComesBack(),
        leasesOfTheLivingLast(),
        heirGoesOn(),
        nothingIsLeftBehind(),
    )
}

private fun Evidence.heirGoesOn(): Finding? {
    val failover = failover ?: return null
    val promise = "its heir goes on"
    val next = turns.filter { it.askedAt > failover.at }.minByOrNull { it.grantedAt }
        ?: return Finding(promise, false, "no worker got a permit after the primary was killed")
    val delay = (next.grantedAt - failover.at).nanoseconds
    return Finding(
        promise,
        true,
        "${failover.to} was primary ${failover.took.inSeconds()} after ${failover.from} was killed, and granted by ${delay.inSeconds()}",
    )
}

private fun Evidence.neverTooManyHolders(): Finding {
    val most = mostAtOnce(turns)
    val mostSampled = heldSamples.maxOrNull() ?: 0
    val mostAtGrant = turns.maxOfOrNull { it.heldAtGrant } ?: 0
    val facts = when {
        most.size > permits -> "${most.size} turns overlap: ${most.joinToString { "worker ${it.worker} with token ${it.token}" }}"
        mostSampled > permits -> "the server showed $mostSampled permits held"
        mostAtGrant > permits -> "the server counted $mostAtGrant permits held at a grant"
        else -> "${maxOf(most.size, mostSampled)} at most, by ${turns.size} turns and ${heldSamples.size} snapshots"
    }
    val promise = if (permits == 1) "at most 1 holder" else "at most $permits holders"
    return Finding(promise, maxOf(most.size, mostSampled, mostAtGrant) <= permits, facts)
}

/** The turns of a moment at which there were as many as never before and after. */
private fun mostAtOnce(turns: List<Turn>): List<Turn> {
    var most = emptyList<Turn>()
    var current = emptyList<Turn>()
    for (turn in turns.sortedBy { it.grantedAt }) {
        current = current.filter { it.lastsAt(turn.grantedAt) } + turn
        if (current.size > most.size) most = current
    }
    return most
}

/** A grant that somebody had seen before another was asked for has the smaller token. */
private fun Evidence.tokensGrow(): Finding {
    val promise = "tokens grow"
    val repeated = turns.groupBy { it.token }.values.firstOrNull { it.size > 1 }
    if (repeated != null) {
        val workers = repeated.joinToString(" and ") { "worker ${it.worker}" }
        return Finding(promise, false, "token ${repeated.first().token} was granted to $workers")
    }
    val byGrant = turns.sortedBy { it.grantedAt }.iterator()
    var next = if (byGrant.hasNext()) byGrant.next() else null
    var largest: Turn? = null
    for (turn in turns.sortedBy { it.askedAt }) {
        while (next != null && next.grantedAt < turn.askedAt) {
            if (largest == null || next.token > largest.token) largest = next
            next = if (byGrant.hasNext()) byGrant.next() else null
        }
        if (largest != null && turn.token < largest.token) {
            val facts = "worker ${turn.worker} got token ${turn.token} after worker ${largest.worker} had got ${largest.token}"
            return Finding(promise, false, facts)
        }
    }
    return Finding(promise, true, "${turns.size} grants, each token larger than the last")
}

private fun Evidence.registerIsFenced(): Finding {
    val promise = "register is fenced"
    val back = accepted.zipWithNext().firstOrNull { (earlier, later) -> later <= earlier }
    val unknown = accepted - turns.map { it.token }.toSet()
    val wronglyRefused = refused.firstOrNull { it.token >= it.largest }
    val problem = when {
        back != null -> "it went back from token ${back.first} to ${back.second}"
        unknown.isNotEmpty() -> "it accepted token ${unknown.first()}, which nobody was granted"
        wronglyRefused != null -> "it refused token ${wronglyRefused.token}, although the largest before was ${wronglyRefused.largest}"
        kill != null && lateWrite == null -> "no late write was tried"
        lateWrite?.accepted == true -> "it accepted a late write with the killed holder's token ${lateWrite.token}"
        else -> null
    }
    val overtaken = if (refused.isEmpty()) "" else "${refused.size} overtaken, "
    return Finding(promise, problem == null, problem ?: "${accepted.size} writes in order; refused: ${overtaken}1 late")
}

private fun Evidence.killedPermitComesBack(): Finding {
    val promise = "killed permit returns"
    if (kill == null) return Finding(promise, false, "no holder was killed")
    val turn = comeback(kill, turns, permits) ?: return Finding(promise, false, "it did not come back; the lease is ${lease.inSeconds()}")
    val delay = (turn.grantedAt - kill.at).nanoseconds
    return Finding(promise, delay <= lease + tolerance, "${delay.inSeconds()} after the kill, lease ${lease.inSeconds()}")
}

private fun Evidence.leasesOfTheLivingLast(): Finding {
    val promise = "live holders keep it"
    val lost = turns.firstOrNull { it.lost } ?: return Finding(promise, true, "all leases were renewed in time")
    return Finding(promise, false, "worker ${lost.worker} lost token ${lost.token}; did the machine stand still for some seconds?")
}

private fun Evidence.nothingIsLeftBehind(): Finding {
    val clean = end.permits == permits && end.held == 0 && end.queued == 0
    val queue = if (end.queued == 0) "nobody in the queue" else "${end.queued} in the queue"
    return Finding("nothing left behind", clean, "${end.permits - end.held} of $permits permits available, $queue")
}
