package io.signalbox.quorum.internal

import io.signalbox.Permit
import io.signalbox.internal.coordination.isDispatched
import java.util.concurrent.Executor
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.Continuation
import kotlin.coroutines.resume
import kotlin.coroutines.resumeWithException
import org.slf4j.LoggerFactory

/**
 * What was decided under [lock] and is done after it was released, by one thread at a time and in the order of the decisions: else a renewal
 * could overtake the release of what it renews.
 */
internal class Doings(
    /** Where coroutines go on that are not dispatched: not on the driver's threads. */
    private val elsewhere: Executor,
) {
    private val lock = ReentrantLock()
    private val actions = ArrayDeque<() -> Unit>()
    private var isRunning = false

    /** Decides, and does. Whoever is doing already does what is decided meanwhile as well. */
    fun <T> decide(decision: () -> T): T {
        var runs = false
        val result =
            lock.withLock {
                decision().also {
                    if (lock.holdCount == 1 && !isRunning && actions.isNotEmpty()) {
                        isRunning = true
                        runs = true
                    }
                }
            }
        if (runs) run()
        return result
    }

    fun add(action: () -> Unit) {
        actions.addLast(action)
    }

    fun grant(
        waiter: QuorumWaiter,
        permit: QuorumPermit?,
    ) = add {
        try {
            // A dispatcher that refuses leaves its coroutine to nobody; the permit goes to somebody else.
            on(waiter.continuation) { waiter.continuation.resume(permit) { _, unwanted, _ -> unwanted?.giveBack() } }
        } catch (problem: Throwable) {
            log.warn("A coroutine that was granted a permit could not be dispatched; the permit goes back", problem)
            permit?.giveBack()
        }
    }

    fun fail(
        continuation: Continuation<*>,
        problem: Throwable,
    ) = add { on(continuation) { continuation.resumeWithException(problem) } }

    fun tell(
        continuation: Continuation<Boolean>,
        value: Boolean,
    ) = add { on(continuation) { continuation.resume(value) } }

    private fun on(
        continuation: Continuation<*>,
        action: () -> Unit,
    ) = if (isDispatched(continuation)) action() else elsewhere.execute(action)

    private fun run() {
        while (true) {
            val next = lock.withLock { actions.removeFirstOrNull().also { if (it == null) isRunning = false } } ?: return
            try {
                next()
            } catch (problem: Throwable) {
                // Somebody else's code: what it throws must not keep others from hearing.
                log.warn("Something that a quorum called failed", problem)
            }
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(Permit::class.java)
    }
}
