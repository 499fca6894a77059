package io.signalbox.quorum

import java.util.concurrent.ConcurrentLinkedQueue

/**
 * Who held what from when to when, by one clock, as the holders themselves saw it; knows nothing of how grants come about. Thread-safe.
 */
internal class Intervals(
    private val limit: Int,
) {
    class Hold(
        val token: Long,
        /** When the acquire was called, when it was granted. */
        val askedAt: Long,
        val from: Long,
    ) {
        /** The last moment at which the holder took it for its own. */
        @Volatile
        var until = Long.MAX_VALUE
    }

    private val holds = ConcurrentLinkedQueue<Hold>()
    val size: Int get() = holds.size

    fun begin(
        token: Long,
        askedAt: Long,
        from: Long,
    ): Hold = Hold(token, askedAt, from).also(holds::add)

    /** What is wrong, in words; empty if nothing is. */
    fun complaints(): List<String> = tooMany() + unordered()

    private fun tooMany(): List<String> {
        // What ended as it began was held at no moment.
        val held = holds.filter { it.until > it.from }
        val edges = held.flatMap {
            listOf(Triple(it.from, 1, it), Triple(it.until, -1, it))
        }.sortedWith(compareBy({ it.first }, { it.second }))
        val present = LinkedHashSet<Hold>()
        val complaints = ArrayList<String>()
        for ((at, change, hold) in edges) {
            if (change < 0) {
                present.remove(hold)
                continue
            }
            present.add(hold)
            if (present.size > limit) complaints += "at $at: ${present.size} hold, $limit may: ${present.map { it.token }}"
        }
        return complaints
    }

    /** Tokens are unique, and larger than those of all grants that were complete before the acquire began. */
    private fun unordered(): List<String> {
        val twice = holds.groupingBy { it.token }.eachCount().filterValues { it > 1 }.keys.map { "token $it was given twice" }
        val byGrant = holds.sortedBy { it.from }
        val complaints = ArrayList<String>()
        var largest = Long.MIN_VALUE
        var next = 0
        for (hold in holds.sortedBy { it.askedAt }) {
            while (next < byGrant.size && byGrant[next].from < hold.askedAt) largest = maxOf(largest, byGrant[next++].token)
            if (hold.token <= largest) complaints += "token ${hold.token} was asked for after $largest had been granted"
        }
        return twice + complaints
    }
}
