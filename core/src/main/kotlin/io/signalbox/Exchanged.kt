package io.signalbox

import kotlin.time.Duration

/**
 * One round trip with the store about one semaphore, mutex or event, in which everything travels that a client has to say of it at that moment; see
 * [SignalboxListener.onExchanged]. A [SemaphoreAlgorithm.Pool] on Redis has none: its commands travel one by one.
 */
public class Exchanged internal constructor(
    public val kind: Observation.Kind,
    public val name: String,
    /** How many acquires, releases and places given up, and questions, travelled in it; 0 if it only renewed the lease. */
    public val operations: Int,
    /** From the moment at which it was last sent. */
    public val took: Duration,
) {
    override fun toString(): String = "Exchanged(kind=$kind, name=$name, operations=$operations, took=$took)"
}
