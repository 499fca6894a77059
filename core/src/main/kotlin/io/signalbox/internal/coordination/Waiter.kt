package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.isPlain
import kotlinx.coroutines.CancellableContinuation

/**
 * One acquire that has not ended.
 *
 * ```
 *            composed             answered: queued
 *  PENDING ────────────▶ SENT ────────────────────▶ QUEUED
 *     │                   │                            │
 *     │ cancelled:        ├─ granted ──▶ DONE ◀── granted (answer or announcement)
 *     │ never sent        │
 *     ▼                   │ cancelled                  │ cancelled
 *   DONE              ABANDONED                        ▼
 *                         │ answered: granted -> given back    ABANDONED, leave sent
 *                         └ answered: queued  -> leave sent         ├ answered: was still queued -> DONE
 *                                                                   └ granted -> given back
 * ```
 *
 * All fields are guarded by the coordinator's lock. Losing the session turns SENT and QUEUED into PENDING, and ends ABANDONED.
 */
internal class Waiter(
    val weight: Int,
    val waits: Boolean,
    val holdMillis: Long,
    /** When it was asked for, by the client's clock. */
    val since: Long,
    val continuation: CancellableContinuation<HeldPermit?>,
) {
    enum class State { PENDING, SENT, QUEUED, ABANDONED, DONE }

    var state: State = State.PENDING
    var sequence: Long = -1

    /** Once it had a place in the queue, it waits through outages. */
    var wasQueued: Boolean = false

    /** Its place in the queue, once it has one. */
    var ticket: Long = -1

    /** Whether the grant is one of a run. */
    val isPlain: Boolean get() = isPlain(weight, holdMillis)

    fun isLike(other: Waiter): Boolean = weight == other.weight && waits == other.waits && holdMillis == other.holdMillis
}
