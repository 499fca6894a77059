package io.signalbox.internal.pool

import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.internal.Observers
import io.signalbox.internal.coordination.LongHolds
import io.signalbox.internal.coordination.Loss
import io.signalbox.internal.coordination.NanoClock
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.warnSafely
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.CompletableDeferred
import org.slf4j.LoggerFactory

/** What was decided under the coordinator's lock and must happen after it is released, in order. */
internal class Effects(
    private val subject: LedgerName,
    private val observers: Observers,
    private val clock: NanoClock,
) {
    private val actions = ArrayList<() -> Unit>(4)

    /** Tries that are refused: told when what they had gathered is on its way back, so that a look at the pool finds it free. */
    val refusals = ArrayList<() -> Unit>(0)

    private val lost = ArrayList<PoolPermit>(0)

    val isEmpty: Boolean get() = actions.isEmpty() && lost.isEmpty() && refusals.isEmpty()

    fun add(action: () -> Unit) {
        actions.add(action)
    }

    fun grant(
        waiter: PoolWaiter,
        permit: PoolPermit?,
    ) {
        waiter.isDone = true
        if (permit == null) {
            refusals.add { guarded { waiter.continuation.resume(null) { _, _, _ -> } } }
            return
        }
        val waited = (permit.grantedAt - waiter.since).nanoseconds
        observe { Observation.Granted(it, subject.name, permit.fencingToken, permit.permits, waited, waiter.isQueued) }
        add {
            // A dispatcher that refuses leaves its coroutine to nobody; the permit goes to somebody else.
            guarded({ permit.giveBack() }) { waiter.continuation.resume(permit) { _, lost, _ -> lost.giveBack() } }
        }
    }

    fun fail(
        waiter: PoolWaiter,
        error: Throwable,
    ) {
        if (waiter.isDone) return
        waiter.isDone = true
        add { waiter.continuation.resumeWithException(error) }
    }

    fun confirm(
        permit: PoolPermit,
        wasHeld: Boolean,
    ) {
        if (!permit.markConfirmed()) return
        observe { Observation.Released(it, subject.name, permit.fencingToken, permit.permits, held(permit)) }
        val continuation: Continuation<Boolean> = permit.awaiting ?: return
        add { continuation.resume(wasHeld) }
    }

    /** Tells whoever waits for the release of [permit] that nobody knows what became of it. */
    fun refuse(
        permit: PoolPermit,
        error: Throwable,
    ) {
        if (!permit.markConfirmed()) return
        val continuation = permit.awaiting ?: return
        add { continuation.resumeWithException(error) }
    }

    fun <T> complete(
        result: CompletableDeferred<T>,
        value: T,
    ) = add { result.complete(value) }

    fun lose(
        permit: PoolPermit,
        why: Loss,
    ) {
        if (!permit.lose(why)) return
        lost.add(permit)
        permit.holdTimer?.cancel()
        observe { Observation.Lost(it, subject.name, permit.fencingToken, permit.permits, held(permit), why.reason) }
        permit.takeListeners().forEach { add { observers.calling(it.action) } }
    }

    /** [permit] is held for suspiciously long. */
    fun heldLong(permit: PoolPermit) {
        val held = held(permit)
        observe { Observation.HeldLong(it, subject.name, permit.fencingToken, permit.permits, held) }
        add { LongHolds.warn(subject, permit, held) }
    }

    private fun observe(make: (kind: Observation.Kind) -> Observation) {
        if (observers.isEmpty) return
        val observation = make(subject.kind.observed)
        add { observers.tell(observation) }
    }

    private fun held(permit: PoolPermit): Duration = (clock.nanos() - permit.grantedAt).nanoseconds

    fun run() {
        Loss.report(subject, lost)
        // An action may come to mind while others run, of another call; each call has effects of its own.
        for (action in actions) guarded(action = action)
    }

    /** Runs [action], which may run somebody else's code: what that throws must not keep others from hearing. */
    private fun guarded(
        otherwise: () -> Unit = {},
        action: () -> Unit,
    ) {
        try {
            action()
        } catch (problem: Throwable) {
            log.warnSafely("Something that $subject called failed", problem)
            otherwise()
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(Permit::class.java)
    }
}
