package io.signalbox.internal.ledger

import java.util.TreeMap

/** Whether grants of [weight] with a max hold of [holdMillis], or -1, are kept by runs; the others are heavy. */
internal fun isPlain(
    weight: Int,
    holdMillis: Long,
): Boolean = weight == 1 && holdMillis < 0

/** Plain permits of one session: those with the tokens [first] and following, [count] of them. */
internal data class TokenRun(
    val first: Long,
    val count: Int,
) {
    /** The first token behind it. */
    val end: Long get() = first + count

    val tokens: LongRange get() = first until end
}

/** What becomes of runs that something is released out of: they are [ended], and what is still held of them is [left]. */
internal class Releases(
    val ended: List<TokenRun>,
    val left: List<TokenRun>,
) {
    /** What is released, ascending. */
    fun tokens(): List<Long> {
        val kept = left.flatMapTo(HashSet()) { it.tokens }
        return ended.flatMap { it.tokens }.filter { it !in kept }
    }

    companion object {
        val NONE: Releases = Releases(emptyList(), emptyList())
    }
}

/**
 * The plain permits of a session as the ledger keeps them: by runs of tokens without a gap, as they were granted. Only the session
 * itself takes runs apart, so its client always knows them, and the ledger writes one entry for a whole batch of grants.
 */
internal class HeldRuns {
    private val counts = TreeMap<Long, Int>()

    fun add(
        first: Long,
        count: Int,
    ) {
        counts[first] = count
    }

    /** Takes [tokens], which ascend, out of their runs. One that is in none is a run that ends. */
    fun release(tokens: LongArray): Releases {
        if (tokens.isEmpty()) return Releases.NONE
        val ended = ArrayList<TokenRun>()
        val left = ArrayList<TokenRun>(0)
        var at = 0
        while (at < tokens.size) {
            val run = runOf(tokens[at])
            counts.remove(run.first)
            ended.add(run)
            var next = run.first
            while (at < tokens.size && tokens[at] < run.end) {
                keep(next, tokens[at], left)
                next = tokens[at++] + 1
            }
            keep(next, run.end, left)
        }
        return Releases(ended, left)
    }

    private fun runOf(token: Long): TokenRun {
        val entry = counts.floorEntry(token)
        return if (entry != null && token < entry.key + entry.value) TokenRun(entry.key, entry.value) else TokenRun(token, 1)
    }

    private fun keep(
        from: Long,
        end: Long,
        left: MutableList<TokenRun>,
    ) {
        if (from >= end) return
        val run = TokenRun(from, (end - from).toInt())
        add(run.first, run.count)
        left.add(run)
    }

    /** Undoes the last [release], whose exchange was refused. */
    fun restore(releases: Releases) {
        releases.left.forEach { counts.remove(it.first) }
        releases.ended.forEach { add(it.first, it.count) }
    }
}
