package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.ListedGrant
import io.signalbox.internal.ledger.ListedRelease

/** A grant of the queue algorithm in the hands of this client. */
internal class HeldPermit(
    private val coordinator: SemaphoreCoordinator,
    fencingToken: Long,
    override val permits: Int,
    holdersAtGrant: Int,
    limited: Boolean,
    grantedAt: Long,
) : LeasedPermit<HeldPermit>(coordinator, fencingToken, holdersAtGrant, limited, grantedAt) {
    override val self: HeldPermit get() = this

    /** The session that holds it. Its deadline stays when the session is over, so it can be judged without the lock. */
    @Volatile
    var session: ClientSession? = null

    override val sessionDeadline: Long get() = session?.deadline ?: Long.MAX_VALUE

    /** Listed: whether it is in the outbox, or was. */
    var isReturning: Boolean = false

    /**
     * Listed: until when the ledger keeps it from others once it is given back, by the ledger's clock; 0 for no longer than it is held. Who has not seen it
     * needs that no more than who is made to give it up.
     */
    @Volatile
    var keptUntil: Long = 0

    /** Whether nobody was there any more to get it. */
    @Volatile
    var isUnseen: Boolean = false

    /** What whoever waits for its release is told, and whether that has been decided. */
    var wasHeld: Boolean = false
    var isConfirmed: Boolean = false

    /** Counted: what R was once it was given back. */
    var returnedAs: Long = -1

    /** Neighbours in the list of what the session holds. */
    var previous: HeldPermit? = null
    var next: HeldPermit? = null

    /** Listed grants are named with their weight in the ledger. */
    val isListed: Boolean get() = permits != 1 || limited

    /** What is said of it when it is given back, if it is listed. */
    fun asReleased(): ListedRelease = ListedRelease(ListedGrant(fencingToken, permits), keptUntil)

    override fun giveBack() {
        keptUntil = 0
        super.giveBack()
    }

    /** Gives it back as used up: of an event. Returns false if it was lost before: somebody else gets the signal. */
    fun consume(): Boolean = coordinator.consume(this)
}
