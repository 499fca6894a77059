package io.signalbox

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
     * Whether the count is fixed except by [Semaphore.resize]. Unbounded semaphores also take [Semaphore.addPermits]. Part of the
     * declaration: all creators must agree. Ignored by [Signalbox.attach].
     */
    public var bounded: Boolean = true

    /** What happens after the server lost this semaphore's data. Used by the client that creates it anew. */
    public var afterDataLoss: AfterDataLoss = AfterDataLoss.GRANT_AT_ONCE

    /**
     * How permits are handed out. A [SemaphoreAlgorithm.Pool] and a [SemaphoreAlgorithm.Queue] of one name are different semaphores, so all
     * clients must agree; within one client a name has one algorithm.
     */
    public var algorithm: SemaphoreAlgorithm = SemaphoreAlgorithm.Queue

    override fun toString(): String =
        "SemaphoreSettings(maxHold=$maxHold, acquireTimeout=$acquireTimeout, bounded=$bounded, afterDataLoss=$afterDataLoss, " +
            "algorithm=$algorithm)"
}

/** What a newly created semaphore does with newcomers, because the creation may follow a loss of data. */
public enum class AfterDataLoss {
    /**
     * Grants free permits at once. If the server lost its data while permits were held, up to the full count of extra
     * holders can exist until their leases have lapsed; holders whose client is alive put themselves back first.
     */
    GRANT_AT_ONCE,

    /**
     * Grants nothing to newcomers for one lease after each creation, the very first included: until then every holder from
     * before the loss has either put itself back or lost its lease.
     */
    QUARANTINE,
}
