package io.signalbox

import io.signalbox.internal.HostName
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
     * How long a permit may be held before an operator is told, once, by a warning in the log and [SignalboxListener.onHeldLong]: its holder may have
     * forgotten to release it. Nothing else happens to it. Infinite (the default) for never, else 1 ms to 365 days; noticed up to a third of a lease later.
     */
    public var holdWarning: Duration = Duration.INFINITE

    /**
     * How many acquires, tries, awaits and signals of all handles may be pending at a time, waiting in a queue or for the store's answer; one more fails at
     * once with [TooManyWaitersException]. So an outage piles up no more than that. At least 1; [Int.MAX_VALUE] (the default) for no limit. See
     * [SemaphoreSettings.maxWaiters] for a limit of one handle.
     */
    public var maxWaiters: Int = Int.MAX_VALUE

    /**
     * Whether scripts may push announcements to a list that is not among their declared keys. True suits a single server and
     * Sentinel. False, for servers that refuse undeclared keys, has the client push them after the script, which costs the
     * hand-off between clients one more hop. In a Cluster it is always as if it were false.
     */
    public var announceInScript: Boolean = true

    /**
     * Where grants of semaphores and mutexes have to be before an acquire returns; `null` (the default) for the memory of the primary. The
     * acquire asks over a connection of its own and shares the question with all that come meanwhile; nothing else waits. If the grant is not there
     * in time it is given back, and the acquire fails with [StoreUnavailableException]. Releases, renewals, signals and timers are not confirmed. Of no
     * meaning in memory.
     */
    public var durability: Durability? = null

    internal val connection = ConnectionSettings()

    /**
     * Says how servers are reached, beyond what the URI says: TLS, credentials that change, options of the driver. For clients that are made by a
     * URI; a driver's client of the user's brings all of that along, and in memory it has no meaning.
     */
    public fun connection(configure: ConnectionSettings.() -> Unit) {
        connection.use(configure)
    }

    private companion object {
        fun defaultLabel(): String = "${ProcessHandle.current().pid()}@${HostName.value.take(100)}"
    }
}
