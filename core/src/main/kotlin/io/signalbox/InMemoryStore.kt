package io.signalbox

import io.signalbox.internal.memory.MemoryLedgers
import kotlin.time.TimeSource

/**
 * What a server is to networked clients: the state that all in-memory clients made with it share. Thread-safe.
 *
 * @param timeSource the store's clock; under `runTest` the test's `testTimeSource`.
 */
public class InMemoryStore(
    timeSource: TimeSource.WithComparableMarks = TimeSource.Monotonic,
) {
    internal val timeSource: TimeSource.WithComparableMarks = timeSource
    internal val ledgers: MemoryLedgers = MemoryLedgers(timeSource)
}
