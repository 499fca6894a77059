package io.signalbox.timers.internal.ledger

import io.signalbox.StoreUnavailableException

/**
 * When a timer is due: a moment of the server's clock, or a span from the moment at which the server executes the request. One
 * number, because there are many of them: milliseconds since 1970, or the span's milliseconds, negated and less one.
 */
@JvmInline
internal value class Due private constructor(
    val raw: Long,
) {
    val isSpan: Boolean get() = raw < 0

    val span: Long get() = -(raw + 1)

    /** The moment, if the server's clock says [micros]. A span begins at the end of the running millisecond, so that it is never short. */
    fun at(micros: Long): Long = if (isSpan) (micros + 999) / 1000 + span else raw

    companion object {
        fun at(millis: Long): Due = Due(maxOf(millis, 0))

        fun after(millis: Long): Due = Due(-millis - 1)
    }
}

/** What a client has to say about the timers of one shard, executed at most once: numbers only ascend within a session. */
internal class Write(
    val session: String,
    val number: Long,
    /** Within this of a moment of interest a second worker is to be awake. */
    val boundMillis: Long,
    val topics: List<TopicWrite>,
) {
    /** Whether it may need memory that the server has not got any more. */
    val addsTimers: Boolean get() = topics.any { topic -> topic.sets.isNotEmpty() || topic.changes.any { it is Change.Keep } }
}

internal class TopicWrite(
    val topic: String,
    val sets: List<SetTimer>,
    val changes: List<Change>,
)

internal class SetTimer(
    val id: String,
    val due: Due,
    val record: ByteArray,
)

/** An operation on one timer that answers with yes or no. No id occurs twice in a request. */
internal sealed interface Change {
    val id: String

    /**
     * Sets the recurring timer of [record]: yes if that changed anything. One that recurs in the same way keeps its schedule, its count,
     * and
     * whether it is paused; one that is dead or parked is put back.
     */
    class Keep(
        override val id: String,
        val due: Due,
        val record: ByteArray,
    ) : Change

    /** Makes a waiting timer due at once, its schedule kept: yes if there was one. */
    class RunNow(override val id: String) : Change

    /** Has no timer of the topic taken until [ResumeTopic]: yes if that is new. */
    data object PauseTopic : Change {
        override val id: String get() = ""
    }

    /** Ends [PauseTopic]: yes if the topic was paused. */
    data object ResumeTopic : Change {
        override val id: String get() = ""
    }

    /** Removes it, whatever state it is in: yes if there was one. */
    class Cancel(override val id: String) : Change

    /** Takes a waiting or claimed timer off the timeline: yes if there was one. */
    class Pause(override val id: String) : Change

    /** Puts a paused timer back: yes if it was paused. */
    class Resume(
        override val id: String,
        val due: Due,
    ) : Change

    /** Puts a dead or parked timer back, its attempts forgotten: yes if it was dead or parked. */
    class Requeue(
        override val id: String,
        val due: Due,
    ) : Change

    /** Removes a dead or parked timer: yes if it was dead or parked. */
    class Discard(override val id: String) : Change
}

internal sealed interface WriteAnswer {
    class Done(
        /** For every change, in the order of the request. */
        val results: List<Boolean>,
        /** Timers that were not set because they recur, by their place among all that were to be set. */
        val refused: List<Int> = emptyList(),
    ) : WriteAnswer

    /** The store does not know the session: begin another one. */
    data object Lost : WriteAnswer

    /** A later number was executed before. */
    data object Stale : WriteAnswer
}

/** Everything a worker has to say to one shard: what became of its timers, and how many more it can take. Numbered as [Write]. */
internal class Turn(
    val session: String,
    val number: Long,
    /** Where the worker is to be woken; empty if it does not want to be. */
    val inbox: String,
    /** Where it was to be woken before, if that was elsewhere. */
    val formerInbox: String,
    val leaseMillis: Long,
    val boundMillis: Long,
    val heartbeatMillis: Long,
    /** Takes nothing that is due later than this; 0 for the present. */
    val horizon: Long,
    val capacity: Int,
    /** Ends the session. */
    val goodbye: Boolean,
    /** Makes the worker's topics known, or known for longer. */
    val present: Boolean,
    /** How many dead and parked timers of each topic are kept, 0 for all, and for how long, 0 for ever. */
    val mostDead: Int,
    val deadMillis: Long,
    /** Those first that are to be served first. */
    val topics: List<TopicTurn>,
)

internal class TopicTurn(
    val topic: String,
    /** Takes at most so many of this topic. */
    val limit: Int,
    /** How many more of this topic the worker has room for; more than [limit] if it lacks something else it needs for them. */
    val room: Int,
    val settlements: List<Settlement>,
)

/** What becomes of one claimed timer. Has no effect unless the timer's claim is still [token]. */
internal sealed interface Settlement {
    val id: String
    val token: Long

    /** Done: the timer is gone. */
    class Acknowledge(
        override val id: String,
        override val token: Long,
    ) : Settlement

    /** Failed: the same again at [due]. */
    class Retry(
        override val id: String,
        override val token: Long,
        val due: Due,
    ) : Settlement

    /** Not begun or not ended: due as before, at once, and this claim does not count as an attempt. */
    class HandBack(
        override val id: String,
        override val token: Long,
    ) : Settlement

    /** Done: the next occurrence is at [due]. With a [head], that of the record is replaced. */
    class Repeat(
        override val id: String,
        override val token: Long,
        val due: Due,
        val head: String? = null,
    ) : Settlement

    /** Off the timeline, for [reason]. */
    class Shelve(
        override val id: String,
        override val token: Long,
        val shelf: Shelf,
        val reason: String,
    ) : Settlement

    /** Still at it. */
    class Renew(
        override val id: String,
        override val token: Long,
    ) : Settlement
}

/** So many settlements are executed at once. */
private const val MAX_RUN = 1000

/** Neighbours of one kind and one token, which are executed together: the store has its price by the run. */
internal fun runs(settlements: List<Settlement>): List<List<Settlement>> {
    if (settlements.isEmpty()) return emptyList()
    val runs = ArrayList<List<Settlement>>()
    var begin = 0
    for (i in 1..settlements.size) {
        if (i == settlements.size || !settlements[i].continues(settlements[begin]) || i - begin == MAX_RUN) {
            runs.add(settlements.subList(begin, i))
            begin = i
        }
    }
    return runs
}

private fun Settlement.continues(run: Settlement): Boolean = token == run.token && kind == run.kind

/** What the scripts call it. */
internal val Settlement.kind: String
    get() =
        when (this) {
            is Settlement.Acknowledge -> "a"
            is Settlement.Retry -> "y"
            is Settlement.HandBack -> "h"
            is Settlement.Repeat -> if (head == null) "n" else "m"
            is Settlement.Shelve -> "s"
            is Settlement.Renew -> "r"
        }

/** Why a timer is off the timeline. */
internal enum class Shelf(
    val code: String,
) {
    DEAD("d"),
    PARKED("p"),
    PAUSED("s"),
}

internal sealed interface TurnAnswer {
    class Done(
        /** The server's clock, in microseconds. */
        val micros: Long,
        /** The moment to take the next turn at, in the server's milliseconds, if nothing happens before. */
        val wakeMillis: Long,
        /** Names the claims of this turn; larger than that of every earlier turn. */
        val token: Long,
        val claims: List<Claim>,
        /** Settlements without effect, by their place in the request. */
        val misses: List<Miss>,
        /** Topics, by their place in the request, that have more timers due. */
        val left: List<Int>,
        /** How many dead timers were removed because there were too many, or for too long. */
        val dropped: Int,
    ) : TurnAnswer

    data object Lost : TurnAnswer

    data object Stale : TurnAnswer
}

internal class Claim(
    val topic: Int,
    val id: String,
    val due: Long,
    val attempt: Int,
    val record: ByteArray,
)

/** @property taken whether another worker has the timer, as opposed to its having been set anew, cancelled or paused. */
internal class Miss(
    val index: Int,
    val taken: Boolean,
)

/** One timer as it is stored. */
internal class Stored(
    val id: String,
    /** When it is due, or was when it was first claimed; milliseconds. */
    val due: Long,
    /** When something is next to happen to it, or when it was shelved; by [Scores]. */
    val moment: Long,
    /** How often it was claimed. */
    val attempts: Int,
    val isClaimed: Boolean,
    val shelf: Shelf?,
    val reason: String,
    val record: ByteArray,
)

/** Where a topic's timers are. */
internal enum class Part { TIMELINE, SHELF, PAUSED }

/** A place in the order of [Stored.moment] and id. */
internal class Position(
    val moment: Long,
    val id: String,
)

/** The shard is kept in another format than this version of the library reads and writes. */
internal fun foreignFormat(
    stored: String,
    known: String,
): StoreUnavailableException =
    StoreUnavailableException(
        "These timers are stored in format $stored, and this version of the library reads and writes format $known; nothing was written. " +
            "Use a version that knows format $stored, or another name or namespace for timers of this one.",
    )
