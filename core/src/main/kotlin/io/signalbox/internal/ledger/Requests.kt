package io.signalbox.internal.ledger

/**
 * Who has what was released by [session] and is kept by its minimum hold: no session, which have no blank. What a snapshot tells of whoever held it is in
 * the name, because nothing else of the session outlives it.
 */
internal fun keeperOf(
    session: String,
    label: String,
): String = "${publicClient(session)} $label"

/** Whether [owner] is a [keeperOf] something. */
internal fun isKeeper(owner: String): Boolean = ' ' in owner

/** The format of the keys that this build reads and writes. */
internal const val FORMAT: Int = 2

/** Whether permits of [weight] with a max hold of [holdMillis], or -1, are kept by count; the others are listed one by one. */
internal fun isPlain(
    weight: Int,
    holdMillis: Long,
): Boolean = weight == 1 && holdMillis < 0

/** Create or join, and begin a session. Durations in milliseconds. */
internal class Opening(
    /** `client.n`: a new one for every session of the client. */
    val session: String,
    /** A session of the same client that ends here, or an empty text. */
    val previous: String,
    val label: String,
    val inbox: String,
    val leaseMillis: Long,
    val retentionMillis: Long,
    /** The declared count, or -1 to join whatever exists and create nothing. */
    val declared: Int,
    val bounded: Boolean,
    /** If this creates the state: how long newcomers wait, and the longest lease allowed from then on; 0 for neither. */
    val longestMillis: Long,
    /** Becomes the epoch if this creates the state: random, from the client. */
    val newEpoch: String,
    /** How many plain permits to put back, because the state that knew them was lost or rolled back. */
    val running: Int,
    /** The largest token that this client was ever granted there, over all its sessions: new ones are larger. */
    val floor: Long,
    /** Listed permits to put back. */
    val listed: List<ListedHold>,
    val policy: Policy = Policy.FAIL,
    /** Whether the client can be told that a permit is revoked, or all is deleted. */
    val hearsOrders: Boolean = true,
) {
    /** What to do if the semaphore exists with another declaration. */
    enum class Policy {
        FAIL,
        RESIZE,
        ATTACH,

        /** The client has joined before: then another declaration has come since, or it is another semaphore, and fails. */
        AGAIN,
    }
}

/** A listed permit as its holder knows it. [holdMillis] is what is left of its max hold, or -1 without one. */
internal class ListedHold(
    val token: Long,
    val weight: Int,
    val holdMillis: Long,
)

/**
 * What a session says of itself in each exchange: numbers that only grow, so every exchange repeats the whole truth and nothing that
 * was said can be lost.
 */
internal data class Words(
    /** R: plain permits given back. */
    val returned: Long = 0,
    /** P: admitted waiters that were started or dropped. */
    val passed: Long = 0,
    /** X: how many of them were dropped. */
    val dropped: Long = 0,
    /** C: signals used up, counted in [returned] too. */
    val consumed: Long = 0,
)

/**
 * Everything one session has to say about one semaphore in one atomic round trip; possibly nothing but its [words], which renews the
 * session.
 *
 * Immutable: a repetition is the same object. The acquires take the sequence numbers [firstSequence] and following, run by
 * run.
 */
internal class Exchange(
    val session: String,
    /** 1 for the first of a session, then one more each; n is sent only when n - 2 is answered. */
    val number: Long,
    /** The state that the session was begun at. */
    val epoch: String,
    val inbox: String,
    val words: Words,
    val firstSequence: Long = 0,
    val acquires: List<AcquireRun> = emptyList(),
    val releases: List<ListedRelease> = emptyList(),
    val leaves: List<QueueRun> = emptyList(),
    val commands: List<Command> = emptyList(),
    /** What a snapshot shows of the session; `null` for no change. */
    val roster: Roster? = null,
    /**
     * The moment of the answer to [number] - 2, which the ledger forgets with this exchange, or -1 if there was none. If the ledger has
     * another one, it was taken back behind that exchange and has executed it once more: what it granted then, nobody here knows.
     */
    val heard: Long = -1,
    /** What the session expects to find, for a backend that has a shorter way then; `null` if it cannot know. */
    val expected: Expectation? = null,
    /** Ends the session, whatever [number]: all its permits go with it, and the places in the queue named in [leaves]. */
    val goodbye: Boolean = false,
) {
    init {
        require(!goodbye || acquires.isEmpty()) { "A session that ends cannot acquire." }
    }
}

/**
 * The session's record before and after an exchange that meets a calm semaphore of [permits], in which all its acquires fit. A backend
 * that finds [before] need not work out [after].
 */
internal class Expectation(
    val before: SessionRecord,
    val after: SessionRecord,
    val permits: Int,
    /** How many acquires there are. */
    val acquires: Int,
    /** The session need not be renewed before this moment of the server. */
    val renewAt: Long,
) {
    /** By how many the permits held by count change. */
    val growth: Long get() = after.width - before.width
}

/** Consecutive acquires that are alike. */
internal class AcquireRun(
    val count: Int,
    val weight: Int,
    /** Max hold, or -1. */
    val holdMillis: Long,
    /** Whether to queue what cannot be granted now, or to refuse it. */
    val waits: Boolean,
) {
    val isPlain: Boolean get() = isPlain(weight, holdMillis)
}

/** A permit that the ledger lists: of weight other than 1, or with a max hold. */
internal class ListedGrant(
    val token: Long,
    val weight: Int,
)

/** A listed permit that is given back. */
internal class ListedRelease(
    val grant: ListedGrant,
    /** The moment of the ledger until which it is kept from others; 0, or one that is over, for no longer. */
    val keptUntil: Long = 0,
)

/** [count] places in the queue next to each other, of the acquires from [sequence] on, with the tickets from [ticket] on. */
internal data class QueueRun(
    val sequence: Long,
    val ticket: Long,
    val count: Int,
)

/** Which permits a session holds by count, in its own words, for whoever looks at the semaphore. No decision depends on it. */
internal data class Roster(
    /** Server time since which the longest waiter whose turn it is has waited; 0 if there is none. */
    val waitingSince: Long,
    val running: List<Running>,
) {
    /** [count] permits with tokens from [token] on without a gap, started at the server time [since]. */
    data class Running(
        val token: Long,
        val count: Int,
        val since: Long,
    )

    companion object {
        /** How many permits are named at most. */
        const val MOST = 100
        val NONE = Roster(0, emptyList())
    }
}

internal sealed interface Command {
    class Resize(
        val permits: Int,
    ) : Command

    class AddPermits(
        val permits: Int,
    ) : Command

    /** Sets an event: one more permit, unless [most] are kept. Kept for [keepMillis], or -1 for ever. */
    class Signal(
        val most: Int,
        val keepMillis: Long,
    ) : Command

    /** Takes back the kept signals of an event. */
    data object Clear : Command

    /** [Resize], and [permits] is what is declared from now on. */
    class Redeclare(
        val permits: Int,
    ) : Command

    /** Has [session] told to give up what it holds under [token]: [weight] listed ones, or 0 for one held by count. [by] says who wants it. */
    class Revoke(
        val session: String,
        val token: Long,
        val weight: Int,
        val by: String,
    ) : Command

    /** What [session] was told to give up goes: the listed ones, or the session with all that it holds. */
    class Enforce(
        val session: String,
        val token: Long,
        val weight: Int,
    ) : Command

    class Extend(
        val grant: ListedGrant,
        val holdMillis: Long,
    ) : Command
}
