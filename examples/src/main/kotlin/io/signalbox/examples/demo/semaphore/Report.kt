package io.signalbox.examples.demo.semaphore

import kotlinx.serialization.SerialName
import kotlinx.serialization.Serializable
import kotlinx.serialization.json.Json

/** What a worker needs to know: the first line on its standard input. */
@Serializable
internal class Briefing(
    val number: Int,
    val redisUri: String,
    val isCluster: Boolean,
    /** The servers to end if the parent dies and cannot do it; none if they are not the demo's. */
    val redisPids: List<Long>,
    val run: String,
    val permits: Int,
    val leaseMillis: Long,
    val retentionMillis: Long,
    val shortestHoldMillis: Long,
    val longestHoldMillis: Long,
)

/** What a worker says happened to it; it prints its reports on its standard output, one a line. */
@Serializable
internal sealed interface Report : Event

/** The worker is connected and waits for the start. */
@Serializable
@SerialName("ready")
internal class Ready(override val at: Long) : Report

/** No permit was free: the worker has joined the queue. */
@Serializable
@SerialName("waits")
internal class Waits(override val at: Long) : Report

/** The worker has a permit. [at] is not earlier than the grant, [askedAt] not later than the request. */
@Serializable
@SerialName("holds")
internal class Holds(override val at: Long, val askedAt: Long, val token: Long, val heldAtGrant: Int) : Report

/** The worker has written to the register, or the register has refused it. */
@Serializable
@SerialName("writes")
internal class Writes(override val at: Long, val answer: RegisterAnswer) : Report

/** The worker is about to give its permit back: [at] is not later than the release. Or it has [lost] it. */
@Serializable
@SerialName("lets-go")
internal class LetsGo(override val at: Long, val token: Long, val lost: Boolean = false) : Report

internal fun Report.toLine(): String = Json.encodeToString(Report.serializer(), this)

/** The report in a line of a worker's output; null if the line is something else. */
internal fun reportIn(line: String): Report? = if (line.startsWith("{")) Json.decodeFromString(Report.serializer(), line) else null
