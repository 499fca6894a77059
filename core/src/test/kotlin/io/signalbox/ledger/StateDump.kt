package io.signalbox.ledger

import io.lettuce.core.Range
import io.lettuce.core.api.sync.RedisCommands
import io.signalbox.internal.memory.SemaphoreState

/** Everything a ledger knows about a semaphore, in a form in which the model and Redis can be compared. */
internal fun SemaphoreState.dump(): String {
    val counts =
        "epoch=$epoch declared=$declared bounded=$bounded permits=$permits held=$heldWeight grants=$grants ticket=$ticket fence=$fence " +
            "wake=$wake clock=$clock offset=$offset keep=$keep " +
            "signals=${signals.map { if (it == Long.MAX_VALUE) "inf" else "$it" }}"
    val sessions =
        sessions.values.sortedBy { it.id }.joinToString("\n") {
            "${it.id}: number=${it.number} deadline=${it.deadline} inbox=${it.inbox} held=${it.held.values.map { held ->
                "${held.grant.token}x${held.weight}${held.limit?.let { limit -> "until${limit.deadline}" }.orEmpty()}"
            }.sorted()} unread=${it.unclaimed.values.map { grant ->
                "%012d=${grant.token},${grant.count},${grant.holders},${grant.grantedAt}".format(grant.sequence)
            }.sorted()}"
        }
    val places =
        queue.entries.joinToString("\n") { (ticket, queued) ->
            "$ticket: ${queued.run { "$session/$sequence/$count/$weight/$holdMillis/$since" }}"
        }
    return "$counts\n$sessions\n$places"
}

/** The same, read from the keys. */
internal fun RedisCommands<String, String>.dump(
    keys: List<String>,
    offset: Long,
): String {
    val state = hgetall(keys[0])
    val held = zrange(keys[1], 0, -1)
    val unclaimed = zrange(keys[4], 0, -1)
    val limits = zrangeWithScores(keys[5], 0, -1).associate { it.value to it.score.toLong() }
    val signals = zrangeWithScores(keys[6], 0, -1).map { it.score }
    val counts =
        "epoch=${state["epoch"]} declared=${state["declared"]} bounded=${state["bounded"] == "1"} permits=${state["permits"]} " +
            "held=${held.size + state.getValue(
                "extra",
            ).toInt()} grants=${state["grants"]} ticket=${state["ticket"]} fence=${state["fence"]} " +
            "wake=${state["wake"]} clock=${state["clock"]} offset=$offset " +
            "keep=${state["keep"] ?: 0} signals=${signals.map { if (it.isInfinite()) "inf" else "${it.toLong()}" }}"
    val sessions =
        zrangeWithScores(keys[3], 0, -1).sortedBy { it.value }.joinToString("\n") { session ->
            val id = session.value
            check(state["$id|deadline"] == session.score.toLong().toString()) { "two deadlines of $id" }
            val grants =
                held.filter { it.startsWith("$id:") }.flatMap { member ->
                    val grant = member.removePrefix("$id:").split(':', '+')
                    if ('+' in member) return@flatMap List(grant[1].toInt()) { "${grant[0].toLong() + it}x1" }
                    listOf("${grant[0]}x${grant.getOrElse(1) { "1" }}${limits[member]?.let { "until$it" }.orEmpty()}")
                }
            val unread = unclaimed.filter { it.startsWith("$id/") }.map { it.removePrefix("$id/") }
            "$id: number=${state["$id|number"]} deadline=${session.score.toLong()} inbox=${state["$id|inbox"]} held=${grants.sorted()} " +
                "unread=${unread.sorted()}"
        }
    val places = zrangebyscoreWithScores(keys[2], Range.unbounded()).joinToString("\n") { "${it.score.toLong()}: ${it.value}" }
    val waiting = zrange(keys[2], 0, -1).sumOf { it.split('/')[2].toInt() }
    check(state["queued"] == "$waiting") { "${state["queued"]} queued, and $waiting places" }
    check(
        state.keys.none {
            it.contains('|') && zscore(keys[3], it.substringBefore('|')) == null
        },
    ) { "fields of a session that has ended: $state" }
    return "$counts\n$sessions\n$places"
}
