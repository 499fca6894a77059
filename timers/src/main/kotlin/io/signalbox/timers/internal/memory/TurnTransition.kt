package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ledger.Claim
import io.signalbox.timers.internal.ledger.Miss
import io.signalbox.timers.internal.ledger.Scores
import io.signalbox.timers.internal.ledger.Settlement
import io.signalbox.timers.internal.ledger.Turn
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.runs

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
    turn.topics.forEachIndexed { i, it ->
        val places = Places(topics[i].due)
        for (run in runs(it.settlements)) index = topics[i].settle(run, turn, micros, places, index, misses)
    }
    val dropped = topics.sumOf { it.dropDead(turn, now) }

    val claims = claim(turn, topics, now)
    val free = turn.capacity - claims.size
    val halted = topics.indices.filter { i -> turn.topics[i].topic in paused }.toSet()
    val left = topics.indices.filter { i -> i !in halted && topics[i].due.first().let { it != null && Scores.millis(it.score) <= now } }
    val roomy =
        topics.indices.filter { i ->
            free > 0 && turn.inbox.isNotEmpty() && !turn.goodbye && turn.topics[i].room > claims.count { it.topic == i }
        }
    val moments =
        topics.mapIndexed { i, topic ->
            if (i in halted) return@mapIndexed null
            val next = topic.due.firstAbove(Scores.of(now + 1) - 1)?.let { Scores.millis(it.score) }
            // The worker cannot take them yet. If it dies before it can, somebody is to notice.
            if (i in left && i in roomy) minOf(next ?: Long.MAX_VALUE, now + turn.boundMillis) else next
        }
    val wake = promise(turn, topics, roomy, moments, now, me)
    topics.forEachIndexed { i, topic -> moments[i]?.let { topic.sleepers.secure(it, turn.boundMillis, now, woken) } }
    for (i in left - roomy.toSet()) topics[i].sleepers.passOn(turn.boundMillis, now, woken)
    woken.remove(me)
    if (turn.present) workers[turn.session] = Presence(now + 3 * turn.heartbeatMillis, turn.topics.map { it.topic })
    if (turn.goodbye) workers.remove(turn.session)

    return TurnAnswer.Done(micros, wake, fence, claims, misses, left, dropped).also {
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
    return TurnAnswer.Done(micros, answer.wakeMillis, answer.token, claims, answer.misses, answer.left, answer.dropped)
}

/** Settles a [run], whose places are given away before any of it is moved, and returns the index behind it. */
private fun TopicState.settle(
    run: List<Settlement>,
    turn: Turn,
    micros: Long,
    places: Places,
    index: Int,
    misses: MutableList<Miss>,
): Int {
    val moves =
        run.mapIndexedNotNull { i, one ->
            val mark = marks[one.id]
            if (mark is Mark.Claimed && mark.token == one.token) {
                Triple(one, mark, placeOf(one, mark, turn, micros, places))
            } else {
                misses.add(Miss(index + i, taken = mark is Mark.Claimed && mark.token > 0))
                null
            }
        }
    for ((one, mark, place) in moves) settle(one, mark, place, micros)
    return index + run.size
}

private fun placeOf(
    settlement: Settlement,
    mark: Mark.Claimed,
    turn: Turn,
    micros: Long,
    places: Places,
): Long =
    when (settlement) {
        is Settlement.Retry -> places.next(settlement.due.at(micros))
        is Settlement.Repeat -> places.next(settlement.due.at(micros))
        is Settlement.HandBack -> minOf(mark.due, Scores.of(micros / 1000))
        is Settlement.Renew -> Scores.of(micros / 1000 + turn.leaseMillis)
        is Settlement.Acknowledge, is Settlement.Shelve -> Scores.of(micros / 1000)
    }

private fun TopicState.settle(
    settlement: Settlement,
    mark: Mark.Claimed,
    place: Long,
    micros: Long,
) {
    val id = settlement.id
    when (settlement) {
        is Settlement.Acknowledge -> {
            due.remove(id)
            records.remove(id)
            marks.remove(id)
        }

        is Settlement.Retry -> {
            due[id] = place
            marks[id] = mark.copy(token = 0)
        }

        is Settlement.HandBack -> {
            due[id] = place
            marks[id] = Mark.Claimed(0, mark.attempts - 1, mark.due)
        }

        is Settlement.Repeat -> {
            due[id] = place
            marks[id] = Mark.Claimed(token = 0, attempts = 0, due = place)
            settlement.head?.let { replaceHead(id, it) }
        }

        is Settlement.Shelve -> {
            due.remove(id)
            shelf[id] = Scores.of(micros / 1000)
            marks[id] = Mark.Shelved(settlement.shelf, mark.attempts, mark.due, settlement.reason)
        }

        is Settlement.Renew -> {
            due[id] = place
        }
    }
}

private fun TopicState.replaceHead(
    id: String,
    head: String,
) {
    val record = records[id]?.let { String(it, Charsets.ISO_8859_1) } ?: return
    val end = record.indexOf('\n')
    if (end < 0 || record[0] !in "rR") return
    records[id] = (record[0] + String(head.toByteArray(), Charsets.ISO_8859_1) + record.substring(end)).toByteArray(Charsets.ISO_8859_1)
}

/** Removes the oldest dead and parked timers where there are too many, or when their time is up. */
private fun TopicState.dropDead(
    turn: Turn,
    now: Long,
): Int {
    val over = if (turn.mostDead > 0) shelf.size - turn.mostDead else 0
    val gone =
        when {
            over > 0 -> shelf.toList().take(minOf(over, MOST_DROPPED))
            turn.deadMillis > 0 -> shelf.upTo(Scores.of(now - turn.deadMillis) - 1).take(MOST_DROPPED).toList()
            else -> emptyList()
        }
    for (one in gone) {
        shelf.remove(one.member)
        records.remove(one.member)
        marks.remove(one.member)
    }
    return gone.size
}

private const val MOST_DROPPED = 1000

/**
 * Takes what is due, the oldest of each topic first, up to the capacity and each topic's limit. Where there is more, each topic has the
 * same share of the capacity, and what one leaves of its share is for the others.
 */
private fun ShardState.claim(
    turn: Turn,
    topics: List<TopicState>,
    now: Long,
): List<Claim> {
    val horizon = if (turn.horizon > 0) minOf(turn.horizon, now) else now
    val ready =
        topics.mapIndexed { i, topic ->
            if (turn.topics[i].topic in paused) {
                emptyList()
            } else {
                topic.due.upTo(Scores.of(horizon + 1) - 1).take(minOf(turn.topics[i].limit, turn.capacity)).toList()
            }
        }
    val shares = shares(ready.map { it.size }, turn.capacity)
    return ready.flatMapIndexed { i, due -> due.take(shares[i]).mapNotNull { topics[i].claim(i, it, turn, now, fence) } }
}

private fun shares(
    wanted: List<Int>,
    capacity: Int,
): List<Int> {
    if (wanted.sum() <= capacity) return wanted
    val shares = IntArray(wanted.size)
    var remaining = capacity
    var wanting = wanted.size
    while (remaining > 0) {
        val share = maxOf(1, remaining / wanting)
        for (i in shares.indices) {
            val more = minOf(share, wanted[i] - shares[i], remaining)
            shares[i] += more
            remaining -= more
        }
        wanting = shares.indices.count { shares[it] < wanted[it] }
    }
    return shares.toList()
}

private fun TopicState.claim(
    index: Int,
    scored: Scored,
    turn: Turn,
    now: Long,
    token: Long,
): Claim? {
    val id = scored.member
    val record = records[id]
    if (record == null) {
        due.remove(id)
        marks.remove(id)
        return null
    }
    val mark = marks[id] as? Mark.Claimed
    val claimed = Mark.Claimed(token, (mark?.attempts ?: 0) + 1, mark?.due ?: scored.score)
    marks[id] = claimed
    due[id] = Scores.of(now + turn.leaseMillis)
    return Claim(index, id, Scores.millis(claimed.due), claimed.attempts, record)
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
