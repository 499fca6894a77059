package io.signalbox.internal.coordination

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

    /** Whether it is in the outbox, or was. */
    var isReturning: Boolean = false

    /** Whether nobody was there any more to get it. */
    var isUnseen: Boolean = false

    /** Neighbours in the list of what the session holds. */
    var previous: HeldPermit? = null
    var next: HeldPermit? = null

    /** Heavy grants are named with their weight in the ledger. */
    val heavy: Boolean get() = permits != 1 || limited

    /** Of an event: whether releasing it uses the signal up. */
    @Volatile
    var isConsumed: Boolean = false
        private set

    /** Gives it back as used up. Returns false if it was lost before: somebody else gets the signal. */
    fun consume(): Boolean {
        isConsumed = true
        return markReleased().also { if (it) coordinator.handBack(this) }
    }
}
