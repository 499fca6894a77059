package io.signalbox.micrometer

import io.micrometer.observation.ObservationRegistry
import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.micrometer.internal.Spans
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlinx.coroutines.CoroutineScope

/**
 * [withPermit] with two observations in [registry], and so two spans where it has a tracer: `signalbox.permit.wait` from here to the grant,
 * `signalbox.permit.hold` around [block], in which it is the current one. Both are children of what is current here.
 *
 * Tags: `signalbox.kind`; on spans also `signalbox.name` and, of the hold, `signalbox.fencing.token`. A wait that ends without a grant, and a block that throws or
 * loses its permit, are observed with the error. Suspends, cancels and throws as [withPermit].
 */
public suspend fun <T> Semaphore.withObservedPermit(
    registry: ObservationRegistry,
    permits: Int = 1,
    block: suspend CoroutineScope.(Permit) -> T,
): T = Spans.waitAndHold(registry, "semaphore", name, { withPermit(permits = permits, block = it) }, block)

/** [withLock] with two observations, as [withObservedPermit]. */
public suspend fun <T> Mutex.withObservedLock(
    registry: ObservationRegistry,
    block: suspend CoroutineScope.(Permit) -> T,
): T = Spans.waitAndHold(registry, "mutex", name, { withLock(block = it) }, block)
