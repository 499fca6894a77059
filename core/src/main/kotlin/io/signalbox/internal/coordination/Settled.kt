package io.signalbox.internal.coordination

import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.internal.Observers
import io.signalbox.internal.ledger.LedgerName
import java.util.concurrent.Executor
import kotlin.coroutines.Continuation
import kotlin.coroutines.ContinuationInterceptor
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * What was decided under the coordinator's lock and must reach user code after it is released, in order.
 *
 * A grant that cannot be handed over, because its coroutine was cancelled meanwhile or cannot be dispatched, is given back. Whatever
 * user code throws ends nothing but itself.
 */
internal class Settled(
    private val subject: LedgerName,
    private val observers: Observers,
    private val clock: NanoClock,
) {
    private var observations: ArrayList<Observation>? = null
    private var granted: ArrayList<Waiter>? = null
    private var released: ArrayList<HeldPermit>? = null
    private var rest: ArrayList<() -> Unit>? = null

    val isEmpty: Boolean get() = granted == null && released == null && rest == null && observations == null

    private fun later(action: () -> Unit) {
        (rest ?: ArrayList<() -> Unit>(2).also { rest = it }).add(action)
    }

    /** [waiter] has its [Waiter.permit], or was refused if that is `null`. */
    fun resume(waiter: Waiter) {
        (granted ?: ArrayList<Waiter>(2).also { granted = it }).add(waiter)
        val permit = waiter.permit ?: return
        if (observers.isEmpty) return
        val waited = (permit.grantedAt - waiter.since).nanoseconds
        observe { Observation.Granted(it, subject.name, permit.fencingToken, permit.permits, waited) }
    }

    fun fail(
        waiter: Waiter,
        error: Throwable,
    ) {
        if (waiter.state == Waiter.State.DONE) return
        val heard = waiter.state != Waiter.State.ABANDONED
        waiter.state = Waiter.State.DONE
        if (heard) resumeWithException(waiter, error)
    }

    fun resumeWithException(
        waiter: Waiter,
        error: Throwable,
    ) = later { waiter.continuation.resumeWithException(error) }

    fun complete(
        ask: Ask,
        asked: Asked,
    ) = later { ask.result.complete(asked) }

    fun fail(
        ask: Ask,
        error: Throwable,
    ) = later { ask.result.completeExceptionally(error) }

    private inline fun observe(make: (kind: Observation.Kind) -> Observation) {
        if (observers.isEmpty) return
        (observations ?: ArrayList<Observation>(2).also { observations = it }).add(make(subject.kind.observed))
    }

    private fun held(permit: HeldPermit): Duration = (clock.nanos() - permit.grantedAt).nanoseconds

    /** For whoever observes the client: [permit], which somebody has seen, is in nobody's hands any more. */
    fun released(permit: HeldPermit) {
        if (observers.isEmpty || permit.state != PermitState.RELEASED || permit.isUnseen) return
        observe { Observation.Released(it, subject.name, permit.fencingToken, permit.permits, held(permit)) }
    }

    /** Tells whoever waits for the release of [permit], if anybody does; the first word counts. */
    fun confirm(
        permit: HeldPermit,
        wasHeld: Boolean,
    ) {
        if (permit.awaiting == null || permit.isConfirmed) return
        permit.isConfirmed = true
        permit.wasHeld = wasHeld
        (released ?: ArrayList<HeldPermit>(2).also { released = it }).add(permit)
    }

    fun lose(permit: HeldPermit) {
        if (!permit.lose()) return
        permit.holdTimer?.cancel()
        observe { Observation.Lost(it, subject.name, permit.fencingToken, permit.permits, held(permit)) }
        for (listener in permit.takeListeners()) later { listener.action() }
    }

    /** Something that is to be done once the lock is free. */
    fun afterwards(action: () -> Unit) = later(action)

    /**
     * [elsewhere] is where coroutines go on that are not dispatched: not in the calling thread, which may be in the middle of a release, or
     * the driver's.
     */
    fun deliver(elsewhere: Executor) {
        observations?.forEach(observers::tell)
        granted?.forEach { if (it.continuation.isDispatched()) grant(it) else elsewhere.execute { grant(it) } }
        released?.forEach { permit ->
            val continuation = permit.awaiting!!
            val confirm = { guarded { continuation.resume(permit.wasHeld) } }
            if (continuation.isDispatched()) confirm() else elsewhere.execute(confirm)
        }
        rest?.forEach { guarded(it) }
    }

    private fun grant(waiter: Waiter) {
        try {
            waiter.continuation.resume(waiter.permit) { _, permit, _ -> permit?.giveBack() }
        } catch (problem: Throwable) {
            log.warn("A coroutine that was granted a permit of {} could not be dispatched; the permit goes back", subject, problem)
            waiter.permit?.giveBack()
        }
    }

    /** Somebody else's code: what it throws must not keep others from hearing. */
    private inline fun guarded(action: () -> Unit) {
        try {
            action()
        } catch (problem: Throwable) {
            logSafely(problem)
        }
    }

    /** Also of an exception whose own methods throw. */
    private fun logSafely(problem: Throwable) {
        try {
            log.warn("Code of a user of {} failed", subject, problem)
        } catch (_: Throwable) {
            log.warn("Code of a user of {} failed with a {} that cannot be printed", subject, problem.javaClass.name)
        }
    }

    private fun Continuation<*>.isDispatched(): Boolean {
        val dispatcher = context[ContinuationInterceptor] as? CoroutineDispatcher ?: return false
        return dispatcher.isDispatchNeeded(context)
    }

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Permit::class.java)
    }
}
