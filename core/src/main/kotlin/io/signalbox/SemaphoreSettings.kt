package io.signalbox

import io.signalbox.internal.orNone
import kotlin.time.Duration

/**
 * Settings of one semaphore handle, given to [Signalbox.semaphore] or [Signalbox.attach].
 *
 * The first call for a name within a client decides; a later call with other settings fails, because it would get the same
 * handle. Durations are rounded up to whole milliseconds.
 */
public class SemaphoreSettings internal constructor() {
    /**
     * How long a grant may be held, heartbeats or not, by the server's clock. Infinite (the default) for no limit, else 1 ms
     * to 365 days. At that moment the permit is lost: [withPermit] cancels its block.
     */
    public var maxHold: Duration = Duration.INFINITE

    /** How long [Semaphore.acquire] waits; infinite (the default) for ever, else 1 ms or more. */
    public var acquireTimeout: Duration = Duration.INFINITE

    /**
     * How many acquires of this handle may wait at a time, in the queue or for the store's answer; one more fails at once with
     * [TooManyWaitersException], so that an overloaded service sheds load. At least 1; [Int.MAX_VALUE] (the default) for no limit. One that will be
     * granted at once counts until it is: choose more than are started at the same moment. A try that does not wait is not counted.
     */
    public var maxWaiters: Int = Int.MAX_VALUE

    /**
     * Whether the count is fixed except by [Semaphore.resize]. Unbounded semaphores also take [Semaphore.addPermits]. Part of the
     * declaration: all creators must agree. Ignored by [Signalbox.attach].
     */
    public var bounded: Boolean = true

    /**
     * What happens if the semaphore exists with another count or boundedness than is declared here. It is this call's, and not compared with
     * other calls'.
     */
    public var onMismatch: OnMismatch = OnMismatch.FAIL

    /** What happens after the server lost this semaphore's data. Used by the client that creates it anew. */
    public var afterDataLoss: AfterDataLoss = AfterDataLoss.GRANT_AT_ONCE

    /**
     * With [AfterDataLoss.QUARANTINE], the longest lease that any client of it may have; `null` (the default) for this client's own. A quarantine lasts
     * so long, because the server cannot know the leases that it has forgotten; a client with a longer one is refused with an
     * [IllegalArgumentException]. The first creator's counts, until the semaphore is created anew.
     */
    public var longestLease: Duration? = null

    /**
     * How permits are handed out. A [SemaphoreAlgorithm.Pool] and a [SemaphoreAlgorithm.Queue] of one name are different semaphores, so all
     * clients must agree; within one client a name has one algorithm.
     */
    public var algorithm: SemaphoreAlgorithm = SemaphoreAlgorithm.Queue

    override fun toString(): String =
        "SemaphoreSettings(maxHold=${maxHold.orNone()}, acquireTimeout=${acquireTimeout.orNone()}, maxWaiters=${maxWaiters.orNone()}, " +
            "bounded=$bounded, " +
            "afterDataLoss=$afterDataLoss, longestLease=${longestLease ?: "none"}, algorithm=$algorithm)"
}

/** What a newly created semaphore does with newcomers, because the creation may follow a loss of data. */
public enum class AfterDataLoss {
    /**
     * Grants free permits at once. If the server lost its data while permits were held, up to the full count of extra
     * holders can exist until their leases have lapsed; holders whose client is alive put themselves back first.
     */
    GRANT_AT_ONCE,

    /**
     * Grants nothing to newcomers for the longest lease that clients may have, [SemaphoreSettings.longestLease], after each creation, the very
     * first included: until then every holder from before the loss has either put itself back or lost its lease. All creators must ask for it.
     */
    QUARANTINE,
}
