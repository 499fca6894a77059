package io.signalbox.internal.coordination

import io.signalbox.Exchanged
import io.signalbox.InternalSignalboxApi
import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.internal.Observers
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.warnSafely
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
    private var lost: ArrayList<HeldPermit>? = null
    private var rest: ArrayList<() -> Unit>? = null

    val isEmpty: Boolean get() = granted == null && released == null && rest == null && lost == null && observations == null

    private fun later(action: () -> Unit) {
        (rest ?: ArrayList<() -> Unit>(2).also { rest = it }).add(action)
    }

    /** [waiter] has its [Waiter.permit], or was refused if that is `null`. */
    fun resume(waiter: Waiter) {
        (granted ?: ArrayList<Waiter>(2).also { granted = it }).add(waiter)
        val permit = waiter.permit ?: return
        if (observers.isEmpty) return
        val waited = (permit.grantedAt - waiter.since).nanoseconds
        observe { Observation.Granted(it, subject.name, permit.fencingToken, permit.permits, waited, waiter.hadToWait) }
    }

    /** [sent] is answered, as [session] does not know yet. */
    fun exchanged(
        sent: InFlight,
        session: ClientSession?,
    ) {
        if (observers.isEmpty) return
        val exchange = sent.exchange
        val returned = if (session?.id == exchange.session) maxOf(0, exchange.words.returned - session.record.returned) else 0
        val operations = sent.waiters.size + sent.releases.size + sent.leaves.size + sent.asks.size + returned.toInt()
        val exchanged = Exchanged(subject.kind.observed, subject.name, operations, (clock.nanos() - sent.lastSentAt).nanoseconds)
        later { observers.tell(exchanged) }
    }

    /** [permit] is held for suspiciously long. */
    fun heldLong(permit: HeldPermit) {
        val held = held(permit)
        observe { Observation.HeldLong(it, subject.name, permit.fencingToken, permit.permits, held) }
        later { LongHolds.warn(subject, permit, held) }
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

    /** Tells whoever waits for the release of [permit] that nobody knows what became of it. */
    fun refuse(
        permit: HeldPermit,
        error: Throwable,
    ) {
        val continuation = permit.awaiting ?: return
        if (permit.isConfirmed) return
        permit.isConfirmed = true
        later { continuation.resumeWithException(error) }
    }

    fun lose(
        permit: HeldPermit,
        why: Loss,
    ) {
        if (!permit.lose(why)) return
        (lost ?: ArrayList<HeldPermit>(2).also { lost = it }).add(permit)
        permit.holdTimer?.cancel()
        observe { Observation.Lost(it, subject.name, permit.fencingToken, permit.permits, held(permit), why.reason) }
        for (listener in permit.takeListeners()) later { observers.calling(listener.action) }
    }

    /** Something that is to be done once the lock is free. */
    fun afterwards(action: () -> Unit) = later(action)

    /**
     * [elsewhere] is where coroutines go on that are not dispatched: not in the calling thread, which may be in the middle of a release, or
     * the driver's.
     */
    fun deliver(elsewhere: Executor) {
        lost?.let { Loss.report(subject, it) }
        observations?.forEach(observers::tell)
        granted?.forEach { if (isDispatched(it.continuation)) grant(it) else grantOn(elsewhere, it) }
        released?.forEach { permit ->
            guarded {
                val continuation = permit.awaiting!!
                if (isDispatched(continuation)) {
                    continuation.resume(permit.wasHeld)
                } else {
                    elsewhere.execute { guarded { continuation.resume(permit.wasHeld) } }
                }
            }
        }
        rest?.forEach { guarded(it) }
    }

    private fun grant(waiter: Waiter) {
        try {
            waiter.continuation.resume(waiter.permit) { _, permit, _ -> permit?.giveBackUnseen() }
        } catch (problem: Throwable) {
            notDispatched(waiter, problem)
        }
    }

    private fun grantOn(
        elsewhere: Executor,
        waiter: Waiter,
    ) {
        try {
            elsewhere.execute { grant(waiter) }
        } catch (problem: Throwable) {
            notDispatched(waiter, problem)
        }
    }

    private fun notDispatched(
        waiter: Waiter,
        problem: Throwable,
    ) {
        log.warnSafely("A coroutine that was granted a permit of $subject could not be dispatched; the permit goes back", problem)
        waiter.permit?.giveBackUnseen()
    }

    private fun HeldPermit.giveBackUnseen() {
        isUnseen = true
        giveBack()
    }

    /** Somebody else's code: what it throws must not keep others from hearing. */
    private inline fun guarded(action: () -> Unit) {
        try {
            action()
        } catch (problem: Throwable) {
            log.warnSafely("Code of a user of $subject failed", problem)
        }
    }

    private companion object {
        val log: Logger = LoggerFactory.getLogger(Permit::class.java)
    }
}

/** A dispatcher that dispatches to the thread that it is called on. */
@InternalSignalboxApi
public interface RunsInPlace

/** Whether resuming [continuation] leaves the thread. Asking a dispatcher is calling somebody else's code as well. */
@InternalSignalboxApi
public fun isDispatched(continuation: Continuation<*>): Boolean {
    val dispatcher = continuation.context[ContinuationInterceptor] as? CoroutineDispatcher ?: return false
    if (dispatcher is RunsInPlace) return false
    return try {
        dispatcher.isDispatchNeeded(continuation.context)
    } catch (_: Throwable) {
        // It throws again where it is caught, and told.
        true
    }
}
