package io.signalbox.java.internal

import io.signalbox.LeaseLostException
import io.signalbox.Permit as CorePermit
import io.signalbox.use
import java.util.concurrent.Callable
import java.util.concurrent.CompletionException
import java.util.concurrent.CompletionStage
import java.util.concurrent.atomic.AtomicReference
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

// ---- stages ----------------------------------------------------------------------------------------------------------------

/** Holds [permit] until the stage that [work] gives has ended, and releases it. */
internal suspend fun <T> useUntilEndOf(
    permit: CorePermit,
    work: () -> CompletionStage<T>?,
): T =
    permit.use {
        val stage = work() ?: throw NullPointerException("The work returned null instead of a stage.")
        try {
            stage.result()
        } catch (cancelled: CancellationException) {
            if (!currentCoroutineContext().isActive) {
                stage.cancel()
                // Nobody waits for the outcome any more, but as long as the work goes on the permit is needed.
                withContext(NonCancellable) { awaitEnd(stage, permit) }
            }
            throw cancelled
        }
    }

private suspend fun <T> CompletionStage<T>.result(): T =
    suspendCancellableCoroutine { continuation ->
        whenComplete { result, failure ->
            if (failure == null) {
                continuation.resume(result)
            } else {
                continuation.resumeWithException((failure as? CompletionException)?.cause ?: failure)
            }
        }
    }

/** The stage's result; cancels the stage if this is cancelled. */
internal suspend fun CompletionStage<*>.awaitOrCancel() {
    try {
        result()
    } catch (cancelled: CancellationException) {
        if (!currentCoroutineContext().isActive) cancel()
        throw cancelled
    }
}

private suspend fun awaitEnd(
    stage: CompletionStage<*>,
    permit: CorePermit,
) {
    val end = Job()
    stage.whenComplete { _, _ -> end.complete() }
    val registration = permit.onLost { end.complete() }
    end.join()
    registration.dispose()
}

/** What can be cancelled is; a stage need not be a future. */
private fun CompletionStage<*>.cancel() {
    try {
        toCompletableFuture().cancel(true)
    } catch (_: UnsupportedOperationException) {
        return
    }
}

// ---- threads ---------------------------------------------------------------------------------------------------------------

/**
 * Runs [work] on this thread, which is interrupted if [permit] is lost, and releases [permit].
 *
 * What the work made of it is not lost if the thread is interrupted while it waits for the release.
 */
internal fun <T> Calls.runWith(
    permit: CorePermit,
    work: Callable<T>,
): T {
    var outcome: Result<T>? = null
    // Runs undispatched, so the work is over, or was never begun, when the first thing is waited for.
    val failure = linger {
        permit.use {
            val ended = runCatching { interruptedByLoss(permit, work) }
            outcome = ended
            ended.getOrThrow()
        }
    }
    if (failure is LeaseLostException) throw failure
    outcome?.onFailure { problem ->
        // Where coroutines recover stack traces it has come out as a copy, and what the release made of it is told to that.
        if (failure != null && failure !== problem) failure.suppressed.forEach(problem::addSuppressed)
        throw problem
    }
    if (failure != null) throw failure
    return outcome!!.getOrThrow()
}

private fun <T> interruptedByLoss(
    permit: CorePermit,
    work: Callable<T>,
): T {
    val interruption = Interruption(Thread.currentThread())
    val registration = permit.onLost(interruption::interrupt)
    var consumed = false
    try {
        return work.call()
    } catch (interrupt: InterruptedException) {
        consumed = true
        throw interrupt
    } finally {
        registration.dispose()
        // The interrupt was about the work, which is over.
        if (interruption.end() && !consumed) Thread.interrupted()
    }
}

/**
 * At most one interrupt of [thread], and none after [end].
 *
 * ```
 *  RUNNING ── interrupt() ──▶ INTERRUPTING ──▶ INTERRUPTED
 *     └── end() ──▶ ENDED
 * ```
 */
private class Interruption(
    private val thread: Thread,
) {
    private enum class State { RUNNING, INTERRUPTING, INTERRUPTED, ENDED }

    private val state = AtomicReference(State.RUNNING)

    fun interrupt() {
        if (!state.compareAndSet(State.RUNNING, State.INTERRUPTING)) return
        thread.interrupt()
        state.set(State.INTERRUPTED)
    }

    /** Returns whether the thread was interrupted. */
    fun end(): Boolean {
        if (state.compareAndSet(State.RUNNING, State.ENDED)) return false
        while (state.get() == State.INTERRUPTING) Thread.onSpinWait()
        return true
    }
}
