package io.signalbox

/** Why a permit was lost before it was released. */
public enum class LossReason {
    /** The client could not renew the lease in time: the store did not answer, or the process stood still. */
    NOT_RENEWED,

    /** The store has ended the client's session, which it had not heard of for a whole lease. */
    SESSION_ENDED,

    /** The store has lost its data, and the permit could not be put back. */
    DATA_LOST,

    /** The store has data that this version cannot read, or refuses the client. */
    UNREADABLE,

    /** The max hold has passed. */
    MAX_HOLD,

    /** Somebody has taken it by [Semaphore.revoke]. */
    REVOKED,

    /** Somebody has ended the semaphore or mutex by [Semaphore.delete]. */
    DELETED,

    /** The client was closed. */
    CLOSED,
}
