package io.signalbox.timers.internal

import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.suspendCancellableCoroutine

/** Suspends until the operation that [submit] sends off has been executed. */
internal suspend fun awaitOne(submit: (Completion) -> Operation): Boolean =
    suspendCancellableCoroutine { continuation ->
        val operation = submit(One(continuation))
        continuation.invokeOnCancellation { operation.isAbandoned = true }
    }

private class One(
    private val continuation: CancellableContinuation<Boolean>,
) : Completion {
    override fun done(result: Boolean) = continuation.resume(result)

    override fun failed(problem: Throwable) = continuation.resumeWithException(problem)
}

/** Waits for [count] operations, and fails with the first that fails. */
internal class Many(
    count: Int,
) : Completion {
    private val left = AtomicInteger(count)
    private val end = CompletableDeferred<Unit>()

    override fun done(result: Boolean) {
        if (left.decrementAndGet() == 0) end.complete(Unit)
    }

    override fun failed(problem: Throwable) {
        end.completeExceptionally(problem)
    }

    suspend fun await() = end.await()
}
