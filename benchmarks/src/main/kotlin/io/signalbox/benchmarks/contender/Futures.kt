package io.signalbox.benchmarks.contender

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.atomic.AtomicReference
import java.util.function.BiConsumer
import kotlin.coroutines.Continuation
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn

/**
 * The result of this future, gone on with where it is completed, as by a callback of a Java program: no dispatcher, no job and no cancellation of
 * coroutines is in what is measured.
 */
internal suspend fun <T> CompletableFuture<T>.result(): T =
    suspendCoroutineUninterceptedOrReturn { continuation ->
        Arrival(continuation).also(::whenComplete).resultOrSuspended()
    }

/** What comes first, the result or the caller's wish to be called, leaves itself for the other. */
private class Arrival<T>(
    private val continuation: Continuation<T>,
) : AtomicReference<Any?>(),
    BiConsumer<T, Throwable?> {
    override fun accept(
        result: T,
        failure: Throwable?,
    ) {
        val outcome = if (failure == null) Result.success(result) else Result.failure((failure as? CompletionException)?.cause ?: failure)
        if (!compareAndSet(null, outcome)) continuation.resumeWith(outcome)
    }

    fun resultOrSuspended(): Any? {
        if (compareAndSet(null, COROUTINE_SUSPENDED)) return COROUTINE_SUSPENDED
        @Suppress("UNCHECKED_CAST")
        return (get() as Result<T>).getOrThrow()
    }
}
