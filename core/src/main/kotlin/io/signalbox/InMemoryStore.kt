package io.signalbox

import io.signalbox.internal.VirtualTime
import io.signalbox.internal.memory.MemoryLedgers
import java.time.Instant
import java.util.concurrent.ConcurrentHashMap
import kotlin.time.TimeSource

/**
 * What a server is to networked clients: the state that all in-memory clients made with it share. Thread-safe.
 *
 * @param timeSource the store's clock; under `runTest` the test's `testTimeSource`.
 * @param start what time of day it is in the store when it is made. By default the present, or 2001-09-09T01:46:40Z if [timeSource] is
 *   not the system's, so that tests in virtual time see the same dates in every run. From 1970 to 9999.
 */
public class InMemoryStore(
    timeSource: TimeSource.WithComparableMarks = TimeSource.Monotonic,
    start: Instant = if (timeSource === TimeSource.Monotonic) Instant.now() else Instant.ofEpochMilli(VIRTUAL_START),
) {
    init {
        require(start >= Instant.EPOCH && start < Instant.ofEpochMilli(END)) { "start must be from 1970 to 9999, but was $start." }
    }

    internal val timeSource: TimeSource.WithComparableMarks = timeSource

    /** A test's; a clock of somebody's own may well be a real one. */
    internal val isInVirtualTime: Boolean get() = timeSource is VirtualTime ||
        timeSource.javaClass.name.startsWith("kotlinx.coroutines.test.")
    internal val ledgers: MemoryLedgers = MemoryLedgers(timeSource)
    private val startMicros = start.toEpochMilli() * 1000
    private val origin = timeSource.markNow()
    private val parts = ConcurrentHashMap<Any, Any>()

    /** The store's clock: microseconds since 1970. */
    @InternalSignalboxApi
    public fun micros(): Long = startMicros + origin.elapsedNow().inWholeMicroseconds

    /** What another module keeps here under [key]; made by [create] when it is first asked for. */
    @InternalSignalboxApi
    @Suppress("UNCHECKED_CAST")
    public fun <T : Any> part(
        key: Any,
        create: () -> T,
    ): T = parts.computeIfAbsent(key) { create() } as T

    private companion object {
        const val VIRTUAL_START = 1_000_000_000_000

        /** The first moment of the year 10000. */
        const val END = 253_402_300_800_000
    }
}
