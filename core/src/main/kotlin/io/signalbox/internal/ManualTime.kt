package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import java.util.PriorityQueue
import java.util.concurrent.CompletableFuture
import java.util.concurrent.Executor
import java.util.concurrent.ForkJoinPool
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.coroutines.CoroutineContext
import kotlin.time.AbstractLongTimeSource
import kotlin.time.Duration
import kotlin.time.DurationUnit
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.InternalCoroutinesApi

/** Marks a clock, or a dispatcher, whose time is not the wall's. */
internal interface VirtualTime

/**
 * A time that stands still until somebody moves it, for tests without kotlinx-coroutines-test: a clock, and a dispatcher that runs at once what is to run now,
 * on threads, and the rest when the clock has come to it.
 */
@InternalSignalboxApi
public class ManualTime {
    private val lock = ReentrantLock()
    private val rest = lock.newCondition()
    private var nanos = 0L
    private var order = 0L
    private val due = PriorityQueue<Due>(compareBy({ it.at }, { it.order }))

    /** What runs now, or is about to. */
    private var active = 0
    private val threads: Executor = ForkJoinPool.commonPool().takeIf { ForkJoinPool.getCommonPoolParallelism() > 1 } ?: Executor { task ->
        ownThread("signalbox-manual-time", isDaemon = true, task).start()
    }

    private class Due(
        val at: Long,
        val order: Long,
        val action: Runnable,
    )

    public val source: TimeSource.WithComparableMarks = Source()
    public val dispatcher: CoroutineDispatcher = Dispatcher()

    /**
     * Moves the clock by [step]; what falls due on the way runs at its moment, and all that follows from it.
     *
     * @throws IllegalArgumentException if it would come to the end of its numbers.
     */
    public fun advance(step: Duration) {
        val begin = lock.withLock { nanos }
        require(step.inWholeNanoseconds <= MOST_NANOS - begin) {
            "step must not move the clock further than 146 years from where it began, but was $step."
        }
        val end = begin + step.inWholeNanoseconds
        while (true) {
            awaitRest()
            val next =
                lock.withLock {
                    due.poll()?.takeIf { it.at <= end || !due.add(it) }.also { nanos = maxOf(nanos, it?.at ?: end) }
                } ?: break
            run(next.action)
        }
    }

    /** Returns when nothing runs; not later than after a while of the wall, lest a test stands still. */
    private fun awaitRest() {
        val latest = System.nanoTime() + PATIENCE_NANOS
        lock.withLock {
            while (active > 0 && System.nanoTime() < latest) rest.await(PAUSE_MILLIS, TimeUnit.MILLISECONDS)
        }
    }

    private fun run(action: Runnable) {
        lock.withLock { active++ }
        val ended = CompletableFuture<Unit>()
        ended.whenComplete { _, _ ->
            lock.withLock {
                active--
                rest.signalAll()
            }
        }
        threads.execute {
            try {
                action.run()
            } finally {
                ended.complete(Unit)
            }
        }
    }

    private fun at(
        delayMillis: Long,
        action: Runnable,
    ): DisposableHandle =
        lock.withLock {
            val at = nanos + delayMillis.coerceIn(0, MOST_NANOS / NANOS) * NANOS
            val entry = Due(at, order++, action)
            due.add(entry)
            DisposableHandle { lock.withLock { due.remove(entry) } }
        }

    private inner class Source :
        AbstractLongTimeSource(DurationUnit.NANOSECONDS),
        VirtualTime {
        override fun read(): Long = lock.withLock { nanos }
    }

    @OptIn(InternalCoroutinesApi::class)
    private inner class Dispatcher :
        CoroutineDispatcher(),
        Delay,
        VirtualTime {
        override fun dispatch(
            context: CoroutineContext,
            block: Runnable,
        ) = run(block)

        @OptIn(ExperimentalCoroutinesApi::class)
        override fun scheduleResumeAfterDelay(
            timeMillis: Long,
            continuation: CancellableContinuation<Unit>,
        ) {
            val handle = at(timeMillis) { with(continuation) { this@Dispatcher.resumeUndispatched(Unit) } }
            continuation.invokeOnCancellation { handle.dispose() }
        }

        override fun invokeOnTimeout(
            timeMillis: Long,
            block: Runnable,
            context: CoroutineContext,
        ): DisposableHandle = at(timeMillis, block)
    }

    private companion object {
        const val NANOS = 1_000_000L

        /** Neither the clock goes further, nor is anything later than so much after it: together they are a number. */
        const val MOST_NANOS = Long.MAX_VALUE / 2
        const val PAUSE_MILLIS = 100L
        const val PATIENCE_NANOS = 10_000 * NANOS
    }
}
