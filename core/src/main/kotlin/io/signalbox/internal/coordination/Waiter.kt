package io.signalbox.internal.coordination

import kotlinx.coroutines.CancellableContinuation

/**
 * One acquire that has not ended.
 *
 * ```
 *            composed             answered: queued            admitted (answer or announcement; plain ones only)
 *  PENDING ────────────▶ SENT ────────────────────▶ QUEUED ──────────────────▶ ADMITTED ── its turn ──▶ DONE
 *     │                   │  └─ admitted ───────────────────────────────────────▲ │
 *     │ cancelled:        ├─ granted ──▶ DONE ◀── granted ──┤                     └ cancelled: dropped ──▶ DONE
 *     │ never sent        │                                 │
 *     ▼                   │ cancelled                       │ cancelled
 *   DONE              ABANDONED                             ▼
 *                         │ answered: queued -> leave sent    ABANDONED, leave sent
 *                         └ admitted: dropped; granted: given back    ├ answered: was still queued -> DONE
 *                                                                     └ admitted: dropped; granted: given back
 * ```
 *
 * All fields are guarded by the coordinator's lock. Losing the session turns SENT, QUEUED and ADMITTED into PENDING, and ends ABANDONED.
 */
internal class Waiter(
    val weight: Int,
    val waits: Boolean,
    val holdMillis: Long,
    /** For how long others are not granted what it is granted, also if it is released before; 0 for no such time. */
    val minMillis: Long,
    /** When it was asked for, by the client's clock. */
    val since: Long,
    val continuation: CancellableContinuation<HeldPermit?>,
) {
    enum class State { PENDING, SENT, QUEUED, ADMITTED, ABANDONED, DONE }

    @JvmField
    var state: State = State.PENDING

    @JvmField
    var sequence: Long = -1

    /** Once it had a place in the queue, it waits through outages. */
    @JvmField
    var wasQueued: Boolean = false

    /** Its place in the queue, once it has one. */
    @JvmField
    var ticket: Long = -1

    /** The fencing token of its permit, once it was admitted. */
    @JvmField
    var token: Long = -1

    /** How many permits were held right after a permit was given to it; 0 if none was when it was admitted. */
    @JvmField
    var holders: Int = 0

    /** What it gets, once it is decided. */
    @JvmField
    var permit: HeldPermit? = null

    /** Whether it was not served when it came: others were before it. */
    val hadToWait: Boolean get() = ticket >= 0 || (token >= 0 && holders == 0)

    fun isLike(other: Waiter): Boolean = weight == other.weight && waits == other.waits && holdMillis == other.holdMillis
}
