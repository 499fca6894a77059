package io.signalbox.quorum

import io.signalbox.InMemoryStore
import io.signalbox.quorum.internal.QuorumConfig
import io.signalbox.quorum.internal.memory.MemoryServer
import kotlin.time.TimeSource

/**
 * What independent servers are to networked clients: the state that all in-memory clients made with them share, and a way to have them fail in
 * tests. Thread-safe.
 *
 * @param count 3, 5 or 7.
 * @param timeSource their clock; under `runTest` the test's `testTimeSource`.
 */
public class InMemoryMasters(
    public val count: Int = 3,
    timeSource: TimeSource.WithComparableMarks = TimeSource.Monotonic,
) {
    internal val store = InMemoryStore(timeSource)
    internal val servers: List<MemoryServer>

    init {
        QuorumConfig.requireMasters(count)
        servers = List(count) { MemoryServer(timeSource, START_MILLIS) }
    }

    /** Has [master] answer nothing any more; 0 is the first. */
    public fun stop(master: Int): Unit = server(master).stop()

    /**
     * Has [master] answer again, with the data that it had or, without [keepsData], as after a crash without persistence: it does not vote until
     * the longest lease has passed.
     */
    public fun start(
        master: Int,
        keepsData: Boolean = false,
    ): Unit = server(master).start(keepsData)

    private fun server(master: Int): MemoryServer {
        require(master in servers.indices) { "master must be from 0 to ${servers.size - 1}, but was $master." }
        return servers[master]
    }

    private companion object {
        /** Far enough from the beginning of time for masters that were always there. */
        const val START_MILLIS = 1_000_000_000_000
    }
}
