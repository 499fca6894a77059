package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.SessionRecord

/** A session as its client knows it. Guarded by the coordinator's lock. */
internal class ClientSession(
    val id: String,
    val epoch: String,
    /** Until when, by the client's clock, its permits are certainly not given to anybody else. */
    @Volatile var deadline: Long,
    /** As the ledger has it, after the last exchange that was answered. */
    var record: SessionRecord,
) {
    var nextNumber: Long = 1
    var nextSequence: Long = 0

    /** The last number that was answered. */
    var acknowledged: Long = 0
        private set

    /** The moments of the last two answers, by the parity of their numbers; -1 for none. */
    private val heard = LongArray(2) { -1 }

    fun heard(number: Long): Long = heard[(number % 2).toInt()]

    fun hear(
        number: Long,
        moment: Long,
    ) {
        acknowledged = number
        heard[(number % 2).toInt()] = moment
    }

    val cohort: Cohort = Cohort()

    /** What it holds by count, and what is listed. */
    val plain: HeldList = HeldList()
    val listed: HeldList = HeldList()

    /** Queued acquires by sequence number, in that order. */
    val waiting: LinkedHashMap<Long, Waiter> = LinkedHashMap()

    /** Acquires that gave up their place, by sequence number, until it is known what became of that. */
    val abandoned: HashMap<Long, Waiter> = HashMap()

    /** Releases whose callers wait until the ledger has heard of them, by what R was with each, ascending. */
    val unconfirmed: ArrayDeque<HeldPermit> = ArrayDeque()

    /** [io.signalbox.internal.ledger.Answer.Done.queues] at the last answer. */
    var queues: Long = -1

    /** Held permits and places in the queue, all clients, as last heard. */
    var heldHeard: Int = 0
    var queuedHeard: Int = 0

    /** Whether the ledger was calm at the last answer, with how many permits, and which inbox it was told. */
    var calm: Boolean = true
    var permits: Int = 0
    var inbox: String = ""

    /** A moment of the server and one of this client that is certainly not later. */
    var serverNow: Long = 0
    var sentAtServerNow: Long = 0

    val rosters: Rosters = Rosters(this)

    /** Whether permits or waiters depend on the session being kept alive, or the ledger has not heard all of them. */
    fun isEngaged(): Boolean =
        cohort.running > 0 || cohort.waits || !listed.isEmpty || waiting.isNotEmpty() || hasUnsaid || record.passed > record.said

    /** Whether there is something that no answered exchange has said. */
    val hasUnsaid: Boolean get() = cohort.words.let {
        it.returned > record.returned || it.consumed > record.consumed ||
            it.passed > record.said
    }

    /** The moment of the server at [nanos] of this client, not later than it is. */
    fun serverTime(nanos: Long): Long = serverNow + (nanos - sentAtServerNow) / CoordinationSettings.NANOS
}
