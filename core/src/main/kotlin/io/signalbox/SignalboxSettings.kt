package io.signalbox

import kotlin.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds

/** Settings of a client. Durations are rounded up to whole milliseconds. */
public class SignalboxSettings internal constructor() {
    /**
     * The first part of every key: clients with different namespaces share nothing. 1 to 64 bytes of UTF-8, under the rules
     * for names.
     */
    public var namespace: String = "signalbox"

    /** What this client is called in snapshots; at most 128 bytes of UTF-8. By default the process id and host name. */
    public var label: String = defaultLabel()

    /**
     * How long permits and places in the queue outlive the client's last exchange with the server: how fast a crash heals, against how
     * long an outage is survived. 100 ms to 1 day. Renewed every third; the client gives up on its permits after 7/8 of it.
     */
    public var lease: Duration = 30.seconds

    /**
     * How long the keys of a semaphore outlive the last client that uses it; 1 s to 365 days. The keys live for three leases
     * at least.
     */
    public var retention: Duration = 5.minutes

    /** How long a call that only needs an answer of the store waits for it; 10 ms to 365 days. */
    public var storeTimeout: Duration = 10.seconds

    /**
     * Whether scripts may push announcements to a list that is not among their declared keys. True suits a single server and
     * Sentinel. False, for servers that refuse undeclared keys, has the client push them after the script, which costs the
     * hand-off between clients one more hop.
     */
    public var announceInScript: Boolean = true

    private companion object {
        fun defaultLabel(): String {
            val host = System.getenv("HOSTNAME") ?: "localhost"
            return "${ProcessHandle.current().pid()}@${host.take(100)}"
        }
    }
}
