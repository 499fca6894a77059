package io.signalbox.internal.coordination

import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.internal.Observers
import io.signalbox.internal.ledger.LedgerName
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellableContinuation
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * What was decided under the coordinator's lock and must reach user code after it is released, in order.
 *
 * A grant that cannot be handed over, because its coroutine was cancelled meanwhile, is given back.
 */
internal class Settled(
    private val subject: LedgerName,
    private val observers: Observers,
    private val clock: NanoClock,
) {
    private val observations = ArrayList<Observation>(0)
    private val grants = ArrayList<CancellableContinuation<HeldPermit?>>(0)
    private val granted = ArrayList<HeldPermit?>(0)
    private val rest = ArrayList<() -> Unit>(0)
    private val listeners = ArrayList<LossListener>(0)
    private val releases = ArrayList<Continuation<Boolean>>(0)
    private val released = ArrayList<Boolean>(0)

    fun resume(
        continuation: CancellableContinuation<HeldPermit?>,
        permit: HeldPermit?,
    ) {
        grants.add(continuation)
        granted.add(permit)
    }

    fun resumeWithException(
        continuation: Continuation<*>,
        error: Throwable,
    ) {
        rest.add { continuation.resumeWithException(error) }
    }

    fun fail(
        waiter: Waiter,
        error: Throwable,
    ) {
        if (waiter.state == Waiter.State.DONE) return
        val heard = waiter.state != Waiter.State.ABANDONED
        waiter.state = Waiter.State.DONE
        if (heard) resumeWithException(waiter.continuation, error)
    }

    fun complete(
        ask: Ask,
        asked: Asked,
    ) {
        rest.add { ask.result.complete(asked) }
    }

    fun fail(
        ask: Ask,
        error: Throwable,
    ) {
        rest.add { ask.result.completeExceptionally(error) }
    }

    private fun observe(make: (kind: Observation.Kind) -> Observation) {
        if (observers.isEmpty) return
        observations.add(make(subject.kind.observed))
    }

    private fun held(permit: HeldPermit): Duration = (clock.nanos() - permit.grantedAt).nanoseconds

    /** For whoever observes the client: [waiter] has [permit]. */
    fun granted(
        waiter: Waiter,
        permit: HeldPermit,
    ) {
        if (observers.isEmpty) return
        val waited = (permit.grantedAt - waiter.since).nanoseconds
        observe { Observation.Granted(it, subject.name, permit.fencingToken, permit.permits, waited) }
    }

    /** Tells whoever waits for the release of [permit], if anybody does. */
    fun confirm(
        permit: HeldPermit,
        wasHeld: Boolean,
    ) {
        if (permit.state == PermitState.RELEASED && !permit.isUnseen) {
            observe { Observation.Released(it, subject.name, permit.fencingToken, permit.permits, held(permit)) }
        }
        val continuation = permit.awaiting ?: return
        releases.add(continuation)
        released.add(wasHeld)
    }

    fun lose(permit: HeldPermit) {
        if (!permit.lose()) return
        permit.holdTimer?.cancel()
        observe { Observation.Lost(it, subject.name, permit.fencingToken, permit.permits, held(permit)) }
        listeners.addAll(permit.takeListeners())
    }

    val isEmpty: Boolean get() = grants.isEmpty() && releases.isEmpty() && rest.isEmpty() && listeners.isEmpty() && observations.isEmpty()

    fun deliver() {
        observations.forEach(observers::tell)
        for (i in grants.indices) grants[i].resume(granted[i]) { _, permit, _ -> permit?.giveBack() }
        for (i in releases.indices) releases[i].resume(released[i])
        rest.forEach { it() }
        listeners.forEach(::call)
    }

    /** Somebody else's code: what it throws must not keep others from hearing. */
    private fun call(listener: LossListener) {
        try {
            listener.action()
        } catch (problem: Exception) {
            log.warn("An onLost action failed", problem)
        }
    }

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Permit::class.java)
    }
}
