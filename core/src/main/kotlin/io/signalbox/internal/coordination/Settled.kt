package io.signalbox.internal.coordination

import io.signalbox.Permit
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import org.slf4j.Logger
import org.slf4j.LoggerFactory

/**
 * What was decided under the coordinator's lock and must reach user code after it is released, in order.
 *
 * A grant that cannot be handed over, because its coroutine was cancelled meanwhile, is given back.
 */
internal class Settled {
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

    /** Tells whoever waits for the release of [permit], if anybody does. */
    fun confirm(
        permit: HeldPermit,
        wasHeld: Boolean,
    ) {
        val continuation = permit.awaiting ?: return
        releases.add(continuation)
        released.add(wasHeld)
    }

    fun lose(permit: HeldPermit) {
        if (!permit.lose()) return
        permit.holdTimer?.cancel()
        listeners.addAll(permit.takeListeners())
    }

    val isEmpty: Boolean get() = grants.isEmpty() && releases.isEmpty() && rest.isEmpty() && listeners.isEmpty()

    fun deliver() {
        for (i in releases.indices) releases[i].resume(released[i])
        for (i in grants.indices) grants[i].resume(granted[i]) { _, permit, _ -> permit?.giveBack() }
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
