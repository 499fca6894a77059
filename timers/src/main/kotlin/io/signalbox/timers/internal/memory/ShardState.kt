package io.signalbox.timers.internal.memory

import io.signalbox.timers.internal.ledger.Shelf
import io.signalbox.timers.internal.ledger.TurnAnswer
import io.signalbox.timers.internal.ledger.WriteAnswer
import java.util.TreeMap

/**
 * All a store knows about one shard of timers: the data of [execute], which decides.
 *
 * The in-memory counterpart of the keys of the Redis backend (see `lua/common.lua`), kept as plain collections so that the rules can
 * be read without Redis; a property test holds the scripts against it.
 */
internal class ShardState {
    /** The largest token given to a turn. Never starts again. */
    var fence: Long = 0
    val sessions: MutableMap<String, SessionState> = HashMap()
    val workers: MutableMap<String, Presence> = HashMap()
    val topics: TreeMap<String, TopicState> = TreeMap()

    /** Topics that timers were set for. */
    val known: MutableSet<String> = HashSet()

    /** Topics of which nothing is taken. */
    val paused: MutableSet<String> = HashSet()

    fun topic(name: String): TopicState = topics.getOrPut(name) { TopicState() }
}

/** What is kept of a session: enough to answer its last request again. */
internal class SessionState(
    val number: Long,
    val written: WriteAnswer.Done?,
    val turned: TurnAnswer.Done?,
    val topics: List<String>,
)

/** A worker that is alive until [until], and what it handles. */
internal class Presence(
    val until: Long,
    val topics: List<String>,
)

internal class TopicState {
    /** Timer -> the next moment something happens to it, by [io.signalbox.timers.internal.ledger.Scores]: it is due, or its claim ends. */
    val due: ScoreSet = ScoreSet()
    val records: MutableMap<String, ByteArray> = HashMap()
    val marks: MutableMap<String, Mark> = HashMap()

    /** Dead or parked timer -> since when. Those are not in [due]. */
    val shelf: ScoreSet = ScoreSet()

    /** Paused timer -> since when. Those are not in [due]. */
    val paused: ScoreSet = ScoreSet()

    /** Worker and its inbox -> when it has promised to wake. */
    val sleepers: ScoreSet = ScoreSet()
}

/** What is known of a timer beyond its record, once it was claimed or shelved. */
internal sealed interface Mark {
    val attempts: Int

    /** When it was due at first: its place on the timeline then. */
    val due: Long

    /** @property token of the claim; 0 while it is not claimed. */
    data class Claimed(
        val token: Long,
        override val attempts: Int,
        override val due: Long,
    ) : Mark

    data class Shelved(
        val shelf: Shelf,
        override val attempts: Int,
        override val due: Long,
        val reason: String,
    ) : Mark
}

/** A worker to be woken, `session inbox`. */
internal typealias Sleeper = String
