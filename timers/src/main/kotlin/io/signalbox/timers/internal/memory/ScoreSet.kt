package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ByteOrder
import java.util.TreeSet

/** Members in the order of their scores, and of the bytes of their names where scores are the same: what Redis calls a sorted set. */
internal class ScoreSet {
    private val scores = HashMap<String, Long>()
    private val order = TreeSet(compareBy<Scored> { it.score }.thenBy(ByteOrder) { it.member })

    val size: Int get() = scores.size

    operator fun get(member: String): Long? = scores[member]

    operator fun set(
        member: String,
        score: Long,
    ) {
        remove(member)
        scores[member] = score
        order.add(Scored(score, member))
    }

    fun remove(member: String): Boolean {
        val score = scores.remove(member) ?: return false
        return order.remove(Scored(score, member))
    }

    fun first(): Scored? = order.firstOrNull()

    /** The first with a score above [score]. */
    fun firstAbove(score: Long): Scored? = order.ceiling(Scored(score + 1, ""))

    /** The last with a score below [score], but not below [least]. */
    fun lastWithin(
        least: Long,
        score: Long,
    ): Scored? = order.lower(Scored(score, ""))?.takeIf { it.score >= least }

    /** All in order, from [from] on; with [fromMember], from behind that place. */
    fun from(
        from: Long,
        fromMember: String? = null,
    ): Sequence<Scored> =
        (if (fromMember == null) order.tailSet(Scored(from, "")) else order.tailSet(Scored(from, fromMember), false)).asSequence()

    fun upTo(score: Long): Sequence<Scored> = order.headSet(Scored(score + 1, "")).asSequence()

    fun toList(): List<Scored> = order.toList()
}

internal data class Scored(
    val score: Long,
    val member: String,
)
