package io.signalbox.timers.internal.worker

import io.signalbox.SignalboxClosedException
import io.signalbox.internal.InsideClient
import io.signalbox.internal.SignalboxBackend
import io.signalbox.timers.HandledTimers
import io.signalbox.timers.Route
import io.signalbox.timers.TimerInterceptor
import io.signalbox.timers.internal.TimersConfig
import io.signalbox.timers.internal.ledger.TimerLedger
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * One run of a service's handlers: a loop per shard on the client's own thread, where no user code can keep a renewal from its time, and
 * handlers in the context of whoever runs it.
 */
internal class Worker(
    private val backend: SignalboxBackend,
    private val config: TimersConfig,
    ledger: TimerLedger,
    shards: IntRange,
    routes: Collection<Route<*, *>>,
    context: Any?,
    interceptors: List<TimerInterceptor<*>>,
    reporter: Reporter,
    caller: CoroutineContext,
    mover: Mover,
    horizon: (shard: Int) -> Long,
) {
    private val handlerScope = CoroutineScope(caller.minusKey(Job) + SupervisorJob() + InsideClient(backend))
    private val handlers = Handlers(handlerScope, context, interceptors, reporter, TimeSource.Monotonic)
    private val slots = Slots(config.concurrency, ::feedHungry)

    /** So that no shard keeps the others from their turns. */
    private val share = if (shards.count() == 1) config.concurrency else config.concurrency / shards.count() + 1
    private val lanes: List<Lane<*>> = routes.mapIndexed { index, route -> Lane(index, route, backend.scope, ::wakeAll) }
    private val loops: List<ShardLoop> =
        shards.map { ShardLoop(it, ledger, backend, config, lanes, slots, share, horizon(it), handlers, mover) }
    private val end = CompletableDeferred<Unit>()

    private fun wakeAll() = loops.forEach { it.wake() }

    private fun feedHungry() {
        if (loops.size > 1) loops.forEach { if (it.isHungry) it.look() }
    }

    private var work: Job? = null
    private val isDraining = AtomicBoolean()

    /** Returns when all loops have ended, by themselves or after [stop]; drains if the caller is cancelled. */
    suspend fun run() {
        val work =
            backend.scope.launch(start = CoroutineStart.LAZY) {
                try {
                    coroutineScope { loops.forEach { launch { it.run() } } }
                    end.complete(Unit)
                } catch (problem: Throwable) {
                    end.completeExceptionally(
                        if (problem is CancellationException) SignalboxClosedException("The client was closed.") else problem,
                    )
                }
            }
        // Its scope may have ended already.
        work.invokeOnCompletion { end.completeExceptionally(SignalboxClosedException("The client was closed.")) }
        synchronized(this) { this.work = work }
        work.start()
        try {
            end.await()
        } catch (cancelled: CancellationException) {
            withContext(NonCancellable) { backend.settings.time.run { drain(work) } }
            throw cancelled
        } finally {
            handlerScope.cancel()
            lanes.forEach { it.stop() }
        }
    }

    /**
     * Takes nothing more; waits for handlers as long as they may take, then gives their timers back; and for the store as long as that may
     * take.
     */
    private suspend fun drain(work: Job) {
        val storeTimeout = backend.settings.storeTimeoutNanos.nanoseconds
        loops.forEach { it.stop() }
        val isIdle = config.drainTimeout.isInfinite().let { forEver ->
            if (forEver) awaitIdle(work).let { true } else withTimeoutOrNull(config.drainTimeout) { awaitIdle(work) } != null
        }
        if (!isIdle) {
            loops.forEach {
                it.isImpatient = true
                it.wake()
            }
        }
        withTimeoutOrNull(storeTimeout) { work.join() }
        work.cancelAndJoin()
    }

    /** Until no handler runs whose outcome counts. */
    private suspend fun awaitIdle(work: Job) {
        while (work.isActive && loops.any { it.isBusy }) withTimeoutOrNull(LOOK) { work.join() }
    }

    /** Starts to end it, as when its caller is cancelled. */
    fun stop() {
        if (!isDraining.compareAndSet(false, true)) return
        val work = synchronized(this) { work }
        if (work == null) loops.forEach { it.stop() } else backend.scope.launch { drain(work) }
    }

    fun handled(): HandledTimers {
        fun count(count: Count) = loops.sumOf { it.counts[count] ?: 0 }
        return HandledTimers(count(Count.SUCCEEDED), count(Count.RETRIED), count(Count.PARKED), count(Count.DEAD))
    }

    private companion object {
        val LOOK = 5.milliseconds
    }
}
