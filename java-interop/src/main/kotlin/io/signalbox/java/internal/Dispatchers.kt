package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.coordination.RunsInPlace
import java.util.concurrent.Executor
import java.util.concurrent.RejectedExecutionException
import kotlin.coroutines.CoroutineContext
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.asCoroutineDispatcher

/** Where coroutines go on whose futures [executor] completes. */
internal fun dispatcherOf(executor: Executor): CoroutineDispatcher {
    val dispatcher =
        Executor { task ->
            try {
                executor.execute(task)
            } catch (refusal: RejectedExecutionException) {
                throw refusal
            } catch (problem: Throwable) {
                // No thread to be had, or somebody's decorator: nothing else ends the coroutine, and with it the future.
                throw RejectedExecutionException("The callback executor failed with a ${problem.javaClass.name}.", problem)
            }
        }.asCoroutineDispatcher()
    return if (executor !is SharedTasks && executor.runsInPlace()) OnCallersThread(dispatcher) else dispatcher
}

/** As `Runnable::run` does, and whatever wraps it: tried once. */
private fun Executor.runsInPlace(): Boolean {
    val here = Thread.currentThread()
    var isInPlace = false
    try {
        execute { if (Thread.currentThread() === here) isInPlace = true }
    } catch (_: Throwable) {
        // It refuses tasks: whoever meets that is told then.
        return false
    }
    return isInPlace
}

/** Else whoever gives a permit back would run the stages of those that it is handed on to, inside of the call. */
@OptIn(InternalSignalboxApi::class)
private class OnCallersThread(
    private val dispatcher: CoroutineDispatcher,
) : CoroutineDispatcher(),
    RunsInPlace {
    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) = dispatcher.dispatch(context, block)
}
