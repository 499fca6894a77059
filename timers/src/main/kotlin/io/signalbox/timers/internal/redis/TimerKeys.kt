package io.signalbox.timers.internal.redis

import java.util.concurrent.ConcurrentHashMap

/**
 * Every key of the timers is built here; `docs/design/timers.md` has the table. All keys of a shard have one hash tag; what a topic's
 * name may contain comes last, so that no two names make one key.
 */
internal class TimerKeys(
    namespace: String,
    name: String,
    timelineKey: String,
    payloadsKey: String,
) {
    private val service = "$namespace:timers$FORMAT:"
    private val tag = name
    private val parts = listOf(escaped(timelineKey), escaped(payloadsKey), "marks", "shelf", "paused", "sleepers")
    private val topicKeys = ConcurrentHashMap<Pair<Int, String>, List<ByteArray>>()
    private val shardKeys = ConcurrentHashMap<Int, List<ByteArray>>()

    /** `state`, `seen` and `topics`. */
    fun ofShard(shard: Int): List<ByteArray> =
        shardKeys.computeIfAbsent(shard) { listOf("state", "seen", "topics").map { "${prefix(shard)}$it".toByteArray() } }

    /** Timeline, payloads, marks, shelf, paused, sleepers. */
    fun ofTopic(
        shard: Int,
        topic: String,
    ): List<ByteArray> = topicKeys.computeIfAbsent(Pair(shard, topic)) { parts.map { "${prefix(shard)}$it:$topic".toByteArray() } }

    fun meta(): ByteArray = "$service{$tag}:meta".toByteArray()

    private fun prefix(shard: Int) = "$service{$tag:$shard}:"

    internal companion object {
        /** What is stored under these keys; `lua/common.lua` has the same. Other formats have other names. */
        const val FORMAT = "2"
        const val TIMELINE = "due"
        const val PAYLOADS = "payloads"

        fun escaped(part: String): String = part.replace("%", "%25").replace(":", "%3A")
    }
}
