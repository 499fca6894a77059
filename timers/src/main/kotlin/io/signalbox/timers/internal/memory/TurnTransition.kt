package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Miss
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer

/** Executes [turn] at [micros], and adds who is to be woken to [woken]. The counterpart of `turn.lua`. */
internal fun ShardState.execute(
    turn: Turn,
    micros: Long,
    woken: MutableList<Sleeper>,
): TurnAnswer {
    val session = sessions[turn.session]
    when {
        session == null && turn.number != 1L -> return TurnAnswer.Lost
        session != null && turn.number == session.number -> return session.turned?.let { repeated(it, session.topics, micros) }
            ?: TurnAnswer.Stale
        session != null && turn.number < session.number -> return TurnAnswer.Stale
    }
    val now = micros / 1000
    val me = "${turn.session} ${turn.inbox}"
    val topics = turn.topics.map { topic(it.topic) }
    for (topic in topics) {
        topic.sleepers.remove(me)
        if (turn.formerInbox.isNotEmpty()) topic.sleepers.remove("${turn.session} ${turn.formerInbox}")
    }
    fence = maxOf(fence + 1, micros)
    val misses = ArrayList<Miss>()
    var index = 0
    turn.topics.forEachIndexed { i, it -> for (one in it.settlements) topics[i].settle(one, turn, micros, index++)?.let(misses::add) }

    val claims = claim(turn, topics, now)
    val free = turn.capacity - claims.size
    val left = topics.indices.filter { i -> topics[i].due.first().let { it != null && it.score <= now } }
    val roomy =
        topics.indices.filter { i ->
            free > 0 && turn.inbox.isNotEmpty() && !turn.goodbye && turn.topics[i].room > claims.count { it.topic == i }
        }
    val moments =
        topics.mapIndexed { i, topic ->
            val next = topic.due.firstAbove(now)?.score
            // The worker cannot take them yet. If it dies before it can, somebody is to notice.
            if (i in left && i in roomy) minOf(next ?: Long.MAX_VALUE, now + turn.boundMillis) else next
        }
    val wake = promise(turn, topics, roomy, moments, now, me)
    topics.forEachIndexed { i, topic -> moments[i]?.let { topic.sleepers.secure(it, turn.boundMillis, now, woken) } }
    for (i in left - roomy.toSet()) topics[i].sleepers.passOn(turn.boundMillis, now, woken)
    woken.remove(me)
    if (turn.present) workers[turn.session] = Presence(now + 3 * turn.heartbeatMillis, turn.topics.map { it.topic })
    if (turn.goodbye) workers.remove(turn.session)

    return TurnAnswer.Done(micros, wake, fence, claims, misses, left).also {
        if (turn.goodbye) {
            sessions.remove(turn.session)
        } else {
            sessions[turn.session] = SessionState(turn.number, written = null, it, turn.topics.map { topic -> topic.topic })
        }
    }
}

/** The stored answer, without claims that have been lost since. */
private fun ShardState.repeated(
    answer: TurnAnswer.Done,
    topics: List<String>,
    micros: Long,
): TurnAnswer {
    val claims =
        answer.claims.mapNotNull { claim ->
            val topic = topic(topics[claim.topic])
            val mark = topic.marks[claim.id] as? Mark.Claimed
            val record = topic.records[claim.id]
            if (mark?.token == answer.token && record != null) Claim(claim.topic, claim.id, claim.due, claim.attempt, record) else null
        }
    return TurnAnswer.Done(micros, answer.wakeMillis, answer.token, claims, answer.misses, answer.left)
}

private fun TopicState.settle(
    settlement: Settlement,
    turn: Turn,
    micros: Long,
    index: Int,
): Miss? {
    val id = settlement.id
    val mark = marks[id]
    if (mark !is Mark.Claimed || mark.token != settlement.token) return Miss(index, taken = mark is Mark.Claimed && mark.token > 0)
    when (settlement) {
        is Settlement.Acknowledge -> {
            forget(id)
        }

        is Settlement.Retry -> {
            due[id] = settlement.due.at(micros)
            marks[id] = mark.copy(token = 0)
        }

        is Settlement.HandBack -> {
            due[id] = mark.due
            if (mark.attempts > 1) marks[id] = Mark.Claimed(0, mark.attempts - 1, mark.due) else marks.remove(id)
        }

        is Settlement.Repeat -> {
            due[id] = settlement.due.at(micros)
            marks.remove(id)
        }

        is Settlement.Shelve -> {
            due.remove(id)
            shelf[id] = micros / 1000
            marks[id] = Mark.Shelved(settlement.shelf, mark.attempts, mark.due, settlement.reason)
        }

        is Settlement.Renew -> {
            due[id] = micros / 1000 + turn.leaseMillis
        }
    }
    return null
}

/** Takes what is due, oldest first over all topics, up to the capacity and each topic's limit. */
private fun ShardState.claim(
    turn: Turn,
    topics: List<TopicState>,
    now: Long,
): List<Claim> {
    val horizon = if (turn.horizon > 0) minOf(turn.horizon, now) else now
    val ready =
        topics.flatMapIndexed { i, topic ->
            topic.due.upTo(horizon).take(minOf(turn.topics[i].limit, turn.capacity)).map { Pair(i, it) }.toList()
        }
    val taken = ready.sortedWith(compareBy({ it.second.score }, { it.first })).take(turn.capacity).sortedBy { it.first }
    return taken.mapNotNull { (i, scored) ->
        val topic = topics[i]
        val id = scored.member
        val record = topic.records[id]
        if (record == null) {
            topic.forget(id)
            return@mapNotNull null
        }
        val mark = topic.marks[id]
        val claimed = Mark.Claimed(fence, (mark?.attempts ?: 0) + 1, mark?.due ?: scored.score)
        topic.marks[id] = claimed
        topic.due[id] = now + turn.leaseMillis
        Claim(i, id, claimed.due, claimed.attempts, record)
    }
}

/** Finds the caller's own role and writes its promise down where it has room. */
private fun promise(
    turn: Turn,
    topics: List<TopicState>,
    roomy: List<Int>,
    moments: List<Long?>,
    now: Long,
    me: Sleeper,
): Long {
    var wake = now + turn.heartbeatMillis
    for (i in roomy) {
        val moment = moments[i] ?: continue
        topics[i].sleepers.dropOverdue(turn.boundMillis, now)
        topics[i].sleepers.roleFor(moment, turn.boundMillis)?.let { wake = minOf(wake, it) }
    }
    for (i in roomy) topics[i].sleepers[me] = wake
    return wake
}
