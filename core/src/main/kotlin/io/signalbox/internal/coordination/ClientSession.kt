package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.Grant
import io.signalbox.internal.ledger.HeldRuns

/** A session as its client knows it. Guarded by the coordinator's lock. */
internal class ClientSession(
    val id: String,
    val epoch: String,
    /** Until when, by the client's clock, its permits are certainly not given to anybody else. */
    @Volatile var deadline: Long,
) {
    var nextNumber: Long = 1
    var nextSequence: Long = 0

    /** The last number that was answered. */
    var acknowledged: Long = 0

    val held: HeldList = HeldList()

    /** The plain permits as the ledger keeps them once it has executed what is in flight. */
    val runs: HeldRuns = HeldRuns()

    /** Queued acquires by sequence number, in that order. */
    val waiting: LinkedHashMap<Long, Waiter> = LinkedHashMap()

    /** Acquires that gave up their place, by sequence number, until it is known that it was not granted, or the grant is read. */
    val abandoned: HashMap<Long, Waiter> = HashMap()

    /** Announced grants of acquires whose own exchange is not answered yet, by the first sequence number. */
    val early: HashMap<Long, Grant> = HashMap()

    /** [io.signalbox.internal.ledger.Answer.Done.queues] at the last answer. */
    var queues: Long = -1

    /** A moment of the server and one of this client that is certainly not later. */
    var serverNow: Long = 0
    var sentAtServerNow: Long = 0
}
