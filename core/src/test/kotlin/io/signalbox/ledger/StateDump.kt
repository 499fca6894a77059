package io.signalbox.ledger

import io.lettuce.core.Range
import io.lettuce.core.api.sync.RedisCommands
import io.signalbox.internal.memory.SemaphoreState

/** Everything a ledger knows about a semaphore, in a form in which the model and Redis can be compared; rosters aside. */
internal fun SemaphoreState.dump(): String {
    val counts =
        "epoch=$epoch declared=$declared redeclared=$isRedeclared bounded=$bounded permits=$permits " +
            "plain=$plain listed=$listed turn=${turn?.id.orEmpty()} gone=$gone " +
            "ticket=$ticket fence=$fence wake=$wake clock=$clock offset=$offset keep=$keep " +
            "longest=$longest signals=${signals.map { if (it == Long.MAX_VALUE) "inf" else "$it" }} " +
            "kept=${kept.values.map { "${it.owner}:${it.grant.token}:${it.weight}until${it.limit?.deadline}" }.sorted()}"
    val sessions =
        sessions.values.sortedBy { it.id }.joinToString("\n") {
            "${it.id}: ${it.record.text()} inbox=${it.inbox} listed=${it.listed.values.map { listed ->
                "${listed.grant.token}x${listed.weight}${listed.limit?.let { limit -> "until${limit.deadline}" }.orEmpty()}"
            }.sorted()} unread=${it.unread.joinToString(" ") { news -> news.text() }}"
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
    val listed = zrange(keys[1], 0, -1)
    val limits = zrangeWithScores(keys[2], 0, -1).associate { it.value to it.score.toLong() }
    val signals = zrangeWithScores(keys[3], 0, -1).map { it.score }
    val counts =
        "epoch=${state["epoch"]} declared=${state["declared"]} redeclared=${state["redeclared"] == "1"} " +
            "bounded=${state["bounded"] == "1"} permits=${state["permits"]} " +
            "plain=${state["plain"]} listed=${state["listed"]} turn=${state["turn"]} gone=${state["gone"]} " +
            "ticket=${state["ticket"]} fence=${state["fence"]} wake=${state["wake"]} clock=${state["clock"]} offset=$offset " +
            "keep=${state["keep"] ?: 0} longest=${state["longest"]} signals=${signals.map {
                if (it.isInfinite()) "inf" else "${it.toLong()}"
            }} kept=${listed.filter { ' ' in it }.map { "${it}until${limits[it]}" }.sorted()}"
    check(listed.sumOf { it.substringAfterLast(':').toInt() } == state.getValue("listed").toInt()) { "$listed, ${state["listed"]} listed" }
    val sessions =
        zrangeWithScores(keys[5], 0, -1).sortedBy { it.value }.joinToString("\n") { session ->
            val id = session.value
            val record = state.getValue(id)
            check(record.split(' ')[9] == session.score.toLong().toString()) { "two deadlines of $id" }
            val grants =
                listed.filter { it.startsWith("$id:") }.map { member ->
                    val grant = member.removePrefix("$id:").split(':')
                    "${grant[0]}x${grant[1]}${limits[member]?.let { "until$it" }.orEmpty()}"
                }
            val unread = if (record.endsWith(" 1")) state["$id|unread"] else ""
            "$id: $record inbox=${state["$id|inbox"]} listed=${grants.sorted()} unread=$unread"
        }
    val served = state.getValue("served").toLong()
    val runs = zrangebyscoreWithScores(keys[4], Range.unbounded())
    val places =
        runs.mapNotNull { run ->
            val parts = run.value.split('/')
            val begin = maxOf(run.score.toLong(), served)
            val skipped = begin - run.score.toLong()
            if (skipped >= parts[2].toLong()) return@mapNotNull null
            begin to listOf(parts[0], "${parts[1].toLong() + skipped}", "${parts[2].toLong() - skipped}") + parts.drop(3)
        }
    val waiting = places.sumOf { it.second[2].toInt() }
    check(state["queued"] == "$waiting") { "${state["queued"]} queued, and $waiting places" }
    check(
        state.keys.none {
            it.contains('|') && zscore(keys[5], it.substringBefore('|')) == null
        },
    ) { "fields of a session that has ended: $state" }
    return "$counts\n$sessions\n${places.joinToString("\n") { "${it.first}: ${it.second.joinToString("/")}" }}"
}
