package io.signalbox.internal.ledger

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
    val quarantine: Boolean,
    /** Becomes the epoch if this creates the state: random, from the client. */
    val newEpoch: String,
    /** What the client knew of the state before: its epoch (empty if nothing), the last number acknowledged to [previous]. */
    val knownEpoch: String,
    val knownNumber: Long,
    /** Grants to put back under the new session if the state turns out to have been lost or rolled back. */
    val reasserted: List<HeldGrant>,
)

/** A grant as the holder knows it. [holdMillis] is what is left of its max hold, or -1 without one. */
internal class HeldGrant(
    val token: Long,
    val weight: Int,
    val holdMillis: Long,
) {
    val isPlain: Boolean get() = isPlain(weight, holdMillis)
}

/**
 * Everything one session has to say about one semaphore in one atomic round trip; possibly nothing, which renews the session.
 *
 * Immutable: a repetition is the same object. The acquires take the sequence numbers [firstSequence] and following, run by
 * run.
 */
internal class Exchange(
    val session: String,
    /** 1 for the first of a session, then one more each. */
    val number: Long,
    val inbox: String,
    /** Ends the session: all its permits and places in the queue go with it. */
    val goodbye: Boolean,
    val firstSequence: Long,
    val acquires: List<AcquireRun>,
    /** Grants of weight 1 without a max hold. */
    val releases: Releases,
    val heavyReleases: List<HeavyGrant>,
    val leaves: List<QueueRun>,
    val commands: List<Command>,
) {
    companion object {
        /**
         * Ends [session], whose last [consumed] signals are used up. Needs no number: an exchange that comes after it is lost, and
         * so is its repetition.
         */
        fun goodbye(
            session: String,
            inbox: String,
            consumed: Int = 0,
        ): Exchange =
            Exchange(
                session,
                number = 0,
                inbox,
                goodbye = true,
                firstSequence = 0,
                acquires = emptyList(),
                releases = Releases.NONE,
                heavyReleases = emptyList(),
                leaves = emptyList(),
                commands = if (consumed == 0) emptyList() else listOf(Command.Consume(consumed)),
            )
    }

    init {
        require(!goodbye || acquires.isEmpty()) { "A session that ends cannot acquire." }
        require(!goodbye || releases.ended.isEmpty()) { "A session that ends gives back everything." }
    }
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

/** A grant of weight other than 1, or with a max hold. */
internal class HeavyGrant(
    val token: Long,
    val weight: Int,
)

/** [count] places in the queue next to each other, of the acquires from [sequence] on, with the tickets from [ticket] on. */
internal data class QueueRun(
    val sequence: Long,
    val ticket: Long,
    val count: Int,
)

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

    /** Takes away [signals] permits: those that the same exchange releases. */
    class Consume(
        val signals: Int,
    ) : Command

    class Extend(
        val grant: HeavyGrant,
        val holdMillis: Long,
    ) : Command
}
