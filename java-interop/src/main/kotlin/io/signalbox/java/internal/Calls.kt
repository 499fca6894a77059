package io.signalbox.java.internal

import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import java.util.concurrent.ExecutionException
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException
import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.startCoroutineUninterceptedOrReturn
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import org.slf4j.LoggerFactory

/**
 * Where suspending calls become futures, or the wait of a thread: the only place.
 *
 * Every call begins on the calling thread, so that requests leave in the order of the calls. Who ends a call first, the coroutine or whoever
 * completes its future, is decided by [CompletableFuture.complete]:
 *
 * ```
 *              ┌── the coroutine has a result, complete() is true ───▶ the caller has it
 *  CALLED ─────┤
 *              └── the future was completed by others (cancelled, orTimeout) ─▶ the coroutine is cancelled;
 *                    a result that it has nevertheless is given back
 * ```
 */
internal class Calls(
    private val executor: Executor,
) {
    /** Where the coroutines of the asynchronous view resume, and so where its futures are completed. */
    val dispatcher: CoroutineDispatcher = dispatcherOf(executor)

    /**
     * For calls. Without a job, so that none is anybody's child, which would cost more than the rest of it: they are never cancelled as a
     * whole, closing the client ends each of them with the error it should have.
     */
    private val scope =
        object : CoroutineScope {
            override val coroutineContext = EmptyCoroutineContext
        }

    /** Refuses `null` for [parameter] of the method that was called. */
    fun given(
        value: Any?,
        parameter: String,
    ): Calls {
        if (value == null) Nulls.given(value, parameter)
        return this
    }

    /** The same for [values] and what is in them. */
    fun allGiven(
        values: Iterable<*>?,
        parameter: String,
    ): Calls = apply { Nulls.allGiven(values, parameter) }

    fun allGiven(
        values: Map<*, *>?,
        parameter: String,
    ): Calls = apply { Nulls.allGiven(values, parameter) }

    /** Calls [request] for a future. [giveBack] gets what arrives when nobody wants it any more; it must not fail. */
    fun <T> future(
        giveBack: suspend (T) -> Unit = {},
        request: suspend () -> T,
    ): CompletableFuture<T> {
        val future = CallFuture<T>()
        val call = start(dispatcher, future, giveBack, request)
        if (!future.isDone) future.whenComplete { _, _ -> if (!future.isAnswered) call.cancel() }
        return future
    }

    /**
     * The same for what goes on whether somebody waits for it or not, and ends by itself: then there is nothing to cancel, and no job is needed.
     */
    fun <T> certainFuture(request: suspend () -> T): CompletableFuture<T> {
        val future = CompletableFuture<T>()
        val end =
            Continuation<T>(dispatcher) { result ->
                result.fold({ future.complete(it) }, { future.completeExceptionally(it.forCaller()) })
            }
        try {
            val result = request.startCoroutineUninterceptedOrReturn(end)
            @Suppress("UNCHECKED_CAST")
            if (result !== COROUTINE_SUSPENDED) future.complete(result as T)
        } catch (failure: Throwable) {
            future.completeExceptionally(failure.forCaller())
        }
        return future
    }

    /**
     * Calls [request] and parks the calling thread until it ends. Needs no executor: what resumes the coroutine unparks the thread.
     *
     * Interrupting the thread cancels the call. If the result was there first, it is returned and the interrupt status stays set.
     *
     * @param always whether to begin even if the thread is interrupted already.
     */
    fun <T> block(
        giveBack: suspend (T) -> Unit = {},
        always: Boolean = false,
        request: suspend () -> T,
    ): T {
        if (!always && Thread.interrupted()) throw InterruptedException()
        val future = CallFuture<T>()
        val call = start(InPlace, future, giveBack, request)
        try {
            return future.get()
        } catch (interrupt: InterruptedException) {
            if (future.cancel(false)) {
                call.cancel()
                throw interrupt
            }
            Thread.currentThread().interrupt()
            return future.ended()
        } catch (failed: ExecutionException) {
            throw failed.cause!!
        }
    }

    /** Calls [request] and parks the calling thread until it ends, interrupted or not; the interrupt status is set afterwards if it was. */
    fun <T> blockAnyway(request: suspend () -> T): T {
        val future = CallFuture<T>()
        start(InPlace, future, {}, request)
        var interrupted = false
        try {
            while (true) {
                try {
                    return future.get()
                } catch (_: InterruptedException) {
                    interrupted = true
                } catch (failed: ExecutionException) {
                    throw failed.cause!!
                }
            }
        } finally {
            if (interrupted) Thread.currentThread().interrupt()
        }
    }

    /**
     * Calls [request], which goes on whether somebody waits for it or not, and parks the calling thread until it ends or the thread is
     * interrupted. The interrupt status is left set then. Returns what it failed with.
     */
    fun linger(request: suspend () -> Unit): Throwable? {
        val future = CallFuture<Unit>()
        start(InPlace, future, {}, request)
        return try {
            future.get()
            null
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
            null
        } catch (failed: ExecutionException) {
            failed.cause
        }
    }

    /** Lets [request] run until it ends by itself or the returned job is cancelled; [end] hears of it then. */
    fun launch(
        end: CompletableFuture<Void?>,
        request: suspend () -> Unit,
    ): Job =
        scope.launch(dispatcher, CoroutineStart.UNDISPATCHED) {
            try {
                request()
                end.complete(null)
            } catch (_: CancellationException) {
                end.complete(null)
            } catch (failure: Throwable) {
                end.completeExceptionally(failure)
            }
        }

    /** Lets [request] run; nobody waits. */
    fun forget(request: suspend () -> Unit) {
        scope.launch(InPlace, CoroutineStart.UNDISPATCHED) { quietly(request) }
    }

    /** Has [action], which is the user's, run on the executor. */
    fun callback(action: Runnable) {
        try {
            executor.execute {
                try {
                    action.run()
                } catch (problem: Exception) {
                    log.warn("An action failed", problem)
                }
            }
        } catch (refusal: Throwable) {
            log.warn("The callback executor refused an action, which was not called", refusal)
        }
    }

    private fun <T> start(
        dispatcher: CoroutineDispatcher,
        future: CallFuture<T>,
        giveBack: suspend (T) -> Unit,
        request: suspend () -> T,
    ): Job =
        scope.launch(dispatcher, CoroutineStart.UNDISPATCHED) {
            val result =
                try {
                    request()
                } catch (failure: Throwable) {
                    future.isAnswered = true
                    future.completeExceptionally(failure.forCaller())
                    return@launch
                }
            future.isAnswered = true
            if (!future.complete(result)) forget { giveBack(result) }
        }

    private suspend fun quietly(request: suspend () -> Unit) {
        try {
            request()
        } catch (problem: Exception) {
            log.warn("What arrived too late for its caller could not be given back", problem)
        }
    }

    /** An executor that refuses a task cancels the coroutine it belongs to. */
    private fun Throwable.forCaller(): Throwable =
        if (this is CancellationException) {
            generateSequence(cause) {
                it.cause
            }.firstOrNull { it is RejectedExecutionException } ?: this
        } else {
            this
        }

    /** Where coroutines go on whose thread is parked until they end: wherever they are resumed, to wake it up. Runs nothing of the user's. */
    private object InPlace : CoroutineDispatcher() {
        override fun dispatch(
            context: CoroutineContext,
            block: Runnable,
        ) = block.run()
    }

    /** The future of a call. */
    private class CallFuture<T> : CompletableFuture<T>() {
        /** Whether the coroutine has come to its end, so that there is nothing to cancel. */
        @Volatile
        var isAnswered = false
    }

    private companion object {
        val log = LoggerFactory.getLogger("io.signalbox.java.Signalbox")

        /** The result of a future that is done. */
        fun <T> CompletableFuture<T>.ended(): T =
            try {
                join()
            } catch (failed: CompletionException) {
                throw failed.cause!!
            }
    }
}
