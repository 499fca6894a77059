package io.signalbox

import io.signalbox.internal.orNone
import kotlin.time.Duration

/**
 * Settings of one mutex handle, given to [Signalbox.mutex]. The first call for a name within a client decides; a later call with
 * other settings fails, because it would get the same handle. Durations are rounded up to whole milliseconds.
 */
public class MutexSettings internal constructor() {
    /** How long the lock may be held, see [SemaphoreSettings.maxHold]. Infinite (the default) for no limit. */
    public var maxHold: Duration = Duration.INFINITE

    /** How long [Mutex.lock] waits; infinite (the default) for ever, else 1 ms or more. */
    public var lockTimeout: Duration = Duration.INFINITE

    /** How many of this handle may wait at a time, see [SemaphoreSettings.maxWaiters]. */
    public var maxWaiters: Int = Int.MAX_VALUE

    /** What happens after the server lost this mutex's data. Used by the client that creates it anew. */
    public var afterDataLoss: AfterDataLoss = AfterDataLoss.GRANT_AT_ONCE

    /** How long a quarantine lasts, and how long leases may be, see [SemaphoreSettings.longestLease]. */
    public var longestLease: Duration? = null

    override fun toString(): String =
        "MutexSettings(maxHold=${maxHold.orNone()}, lockTimeout=${lockTimeout.orNone()}, maxWaiters=${maxWaiters.orNone()}, " +
            "afterDataLoss=$afterDataLoss, " +
            "longestLease=${longestLease ?: "none"})"
}
