package io.signalbox.pool.model

import java.util.PriorityQueue
import kotlin.coroutines.CoroutineContext
import kotlin.random.Random
import kotlinx.coroutines.CancellableContinuation
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Delay
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.InternalCoroutinesApi

/** A world in one thread and in virtual time: what happens next is what is due first, whichever process it belongs to. */
internal class Simulation(
    seed: Long,
) {
    private class Event(
        val at: Long,
        val number: Long,
        val action: () -> Unit,
    ) : DisposableHandle {
        var isOff = false

        override fun dispose() {
            isOff = true
        }
    }

    private val events = PriorityQueue<Event>(compareBy<Event> { it.at }.thenBy { it.number })
    private var number = 0L
    val random = Random(seed)

    /** In nanoseconds. */
    var now = 0L
        private set

    fun at(
        moment: Long,
        action: () -> Unit,
    ): DisposableHandle = Event(maxOf(moment, now), number++, action).also(events::add)

    fun after(
        nanos: Long,
        action: () -> Unit,
    ): DisposableHandle = at(now + nanos, action)

    /** Runs until [isDone] or [limit]; returns whether it was done. */
    fun run(
        limit: Long,
        isDone: () -> Boolean,
    ): Boolean {
        while (!isDone()) {
            val next = events.poll() ?: return false
            if (next.at > limit) return false.also { events.add(next) }
            if (next.isOff) continue
            now = next.at
            next.action()
        }
        return true
    }

    fun nanos(range: LongRange): Long = random.nextLong(range.first, range.last + 1)

    fun chance(probability: Double): Boolean = random.nextDouble() < probability
}

/** A process of the world: it can stand still, and it can die. What is due meanwhile happens afterwards, or never. */
internal class Process(
    private val world: Simulation,
) {
    var isDead = false
        private set
    private var frozenUntil = 0L

    fun freeze(nanos: Long) {
        frozenUntil = maxOf(frozenUntil, world.now + nanos)
    }

    fun kill() {
        isDead = true
    }

    fun after(
        nanos: Long,
        action: () -> Unit,
    ): DisposableHandle {
        var rest: DisposableHandle? = null
        var isOff = false
        rest =
            world.after(nanos) {
                when {
                    isDead || isOff -> Unit
                    world.now < frozenUntil -> rest = after(frozenUntil - world.now, action)
                    else -> action()
                }
            }
        return DisposableHandle {
            isOff = true
            rest?.dispose()
        }
    }

    /** [latency] after being asked for, what is dispatched runs. */
    @OptIn(InternalCoroutinesApi::class)
    inner class Dispatcher(
        private val latency: LongRange,
    ) : CoroutineDispatcher(),
        Delay {
        override fun dispatch(
            context: CoroutineContext,
            block: Runnable,
        ) {
            after(world.nanos(latency)) { block.run() }
        }

        override fun scheduleResumeAfterDelay(
            timeMillis: Long,
            continuation: CancellableContinuation<Unit>,
        ) {
            val event = after(timeMillis * MILLI) { with(continuation) { resumeUndispatched(Unit) } }
            continuation.invokeOnCancellation { event.dispose() }
        }

        override fun invokeOnTimeout(
            timeMillis: Long,
            block: Runnable,
            context: CoroutineContext,
        ): DisposableHandle = after(timeMillis * MILLI) { block.run() }
    }
}

internal const val MILLI = 1_000_000L
internal const val SECOND = 1_000 * MILLI
