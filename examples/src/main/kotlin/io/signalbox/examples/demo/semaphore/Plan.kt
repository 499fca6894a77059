package io.signalbox.examples.demo.semaphore

import io.lettuce.core.RedisURI
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** What is to happen in one run. */
internal class Plan(
    val length: Duration,
    val processes: Int,
    val permits: Int,
    /** The Redis that somebody else runs; null for one of our own. */
    val redisUri: String?,
    val lease: Duration = 3.seconds,
    val topology: Topology = Topology.SINGLE,
) {
    /** How much later than one lease the killed holder's permit may come back: a busy machine needs time to notice. */
    val tolerance: Duration = 3.seconds

    /** When a holder is killed, from the start. Early enough for a short lease to pass before the end; a long one makes the run longer. */
    val killAfter: Duration = length * 0.35

    /** For how long a Redis that is not ours keeps what the demo leaves there. */
    val retention: Duration = maxOf(10.seconds, lease)

    val shortestHold: Duration = 600.milliseconds
    val longestHold: Duration = 1400.milliseconds

    fun briefing(number: Int, run: String, redisUri: String, redisPids: List<Long>) = Briefing(
        number,
        redisUri,
        topology == Topology.CLUSTER,
        redisPids,
        run,
        permits,
        lease.inWholeMilliseconds,
        retention.inWholeMilliseconds,
        shortestHold.inWholeMilliseconds,
        longestHold.inWholeMilliseconds,
    )
}

/** Host and port of a Redis URI, without what must not be printed. */
internal fun addressOf(uri: String): String = if (',' in uri && "sentinel" !in uri) {
    "cluster ${uri.substringAfter("//").substringAfter('@')}"
} else {
    addressOf(RedisURI.create(uri))
}

private fun addressOf(uri: RedisURI): String = uri.run {
    if (host != null) "$host:$port" else "sentinel ${sentinels.joinToString(",") { "${it.host}:${it.port}" }}"
}
