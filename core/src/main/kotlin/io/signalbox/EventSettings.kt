package io.signalbox

import io.signalbox.internal.orNone
import kotlin.time.Duration

/**
 * Settings of one event handle, given to [Signalbox.event]. The first call for a name within a client decides; a later call with
 * other settings fails, because it would get the same handle.
 */
public class EventSettings internal constructor() {
    /**
     * How long a signal that nobody awaits is kept, by the server's clock, from the moment it was set. Infinite (the default) for
     * ever, else 1 ms to 365 days, rounded up to whole milliseconds. It is the setter's: clients may differ.
     */
    public var signalTtl: Duration = Duration.INFINITE

    /** How many signals [Event.set] lets be kept at most; 1 to 1 000 000. */
    public var maxSignals: Int = 100_000

    /** How many of this handle may await at a time, see [SemaphoreSettings.maxWaiters]. */
    public var maxWaiters: Int = Int.MAX_VALUE

    override fun toString(): String =
        "EventSettings(signalTtl=${signalTtl.orNone()}, maxSignals=$maxSignals, maxWaiters=${maxWaiters.orNone()})"
}
