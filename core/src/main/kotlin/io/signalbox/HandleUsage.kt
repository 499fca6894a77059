package io.signalbox

/** What this client has of one semaphore, mutex or event at the moment; as far as it knows, without asking the store. Made by [Signalbox.usage]. */
public class HandleUsage internal constructor(
    public val kind: Observation.Kind,
    public val name: String,
    /** How many permits are in the hands of this client. */
    public val heldPermits: Int,
    /** How many acquires of this client have not ended: they are in the queue, or on their way to it. */
    public val waiting: Int,
) {
    override fun toString(): String = "HandleUsage(kind=$kind, name=$name, heldPermits=$heldPermits, waiting=$waiting)"
}
