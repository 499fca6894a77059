package io.signalbox.quorum

import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/** Settings of a client of a quorum. Durations are rounded up to whole milliseconds. */
public class QuorumSettings internal constructor() {
    /**
     * The first part of every key: clients with different namespaces share nothing. 1 to 64 bytes of UTF-8, under the rules for names. Same
     * as for [Signalbox][io.signalbox.Signalbox] clients, with which a quorum shares nothing either.
     */
    public var namespace: String = "signalbox"

    /** What this client is called in snapshots; at most 128 bytes of UTF-8. `null` (the default) for the process id and host name. */
    public var label: String? = null

    /**
     * How long a permit outlives the last renewal by a majority: how fast a crash heals, against how long an outage of the majority is survived.
     * 100 ms to 1 day, and at most [longestLease]. Renewed every third; the client gives up on its permits after 7/8 of it.
     */
    public var lease: Duration = 10.seconds

    /**
     * The longest lease that any client of the namespace has; `null` (the default) for this client's own. All clients must give the same, and
     * the masters hold them to it.
     *
     * A master that was started anew, or lost its data, does not vote until so much time has passed: who held something that it has forgotten
     * has put it back or lost it by then. So does a master that is used for the very first time.
     */
    public var longestLease: Duration? = null

    /** How long a call waits for a majority that answers; 10 ms to 365 days. */
    public var storeTimeout: Duration = 10.seconds

    /** Whether the error of a single master fails an acquire. */
    public var onMasterError: MasterErrors = MasterErrors.IGNORE

    override fun toString(): String =
        "QuorumSettings(namespace=$namespace, label=${label ?: "default"}, lease=$lease, longestLease=${longestLease ?: lease}, " +
            "storeTimeout=$storeTimeout, onMasterError=$onMasterError)"
}
