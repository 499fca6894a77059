package io.signalbox.timers.internal.worker

import io.signalbox.SignalboxClosedException
import io.signalbox.internal.SignalboxBackend
import io.signalbox.timers.HandledTimers
import io.signalbox.timers.Route
import io.signalbox.timers.internal.TimersConfig
import io.signalbox.timers.internal.ledger.TimerLedger
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
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
    reporter: Reporter,
    caller: CoroutineContext,
    horizon: Long,
) {
    private val handlerScope = CoroutineScope(caller.minusKey(Job) + SupervisorJob())
    private val handlers = Handlers(handlerScope, context, reporter, TimeSource.Monotonic)
    private val slots = Slots(config.concurrency, ::feedHungry)

    /** So that no shard keeps the others from their turns. */
    private val share = if (shards.count() == 1) config.concurrency else config.concurrency / shards.count() + 1
    private val lanes: List<Lane<*>> = routes.mapIndexed { index, route -> Lane(index, route, backend.scope, ::wakeAll) }
    private val loops: List<ShardLoop> = shards.map { ShardLoop(it, ledger, backend, config, lanes, slots, share, horizon, handlers) }
    private val end = CompletableDeferred<Unit>()

    private fun wakeAll() = loops.forEach { it.wake() }

    private fun feedHungry() {
        if (loops.size > 1) loops.forEach { if (it.isHungry) it.look() }
    }

    /** Returns when all loops have ended, by themselves or after [stop]; drains if the caller is cancelled. */
    suspend fun run() {
        val work =
            backend.scope.launch {
                try {
                    coroutineScope { loops.forEach { launch { it.run() } } }
                    end.complete(Unit)
                } catch (problem: Throwable) {
                    end.completeExceptionally(
                        if (problem is CancellationException) SignalboxClosedException("The client was closed.") else problem,
                    )
                }
            }
        try {
            end.await()
        } catch (cancelled: CancellationException) {
            withContext(NonCancellable) { drain(work) }
            throw cancelled
        } finally {
            handlerScope.cancel()
            lanes.forEach { it.stop() }
        }
    }

    private suspend fun drain(work: Job) {
        loops.forEach { it.stop() }
        if (!joined(work, config.drainTimeout)) {
            loops.forEach {
                it.isImpatient = true
                it.wake()
            }
            joined(work, (FAREWELL_FACTOR * backend.settings.storeTimeoutNanos).nanoseconds)
        }
        work.cancel()
    }

    private suspend fun joined(
        work: Job,
        limit: Duration,
    ): Boolean = if (limit.isInfinite()) work.join().let { true } else withTimeoutOrNull(limit) { work.join() } != null

    /** Starts to end it, as when its caller is cancelled. */
    fun stop() = loops.forEach { it.stop() }

    fun handled(): HandledTimers {
        fun count(count: Count) = loops.sumOf { it.counts[count] ?: 0 }
        return HandledTimers(count(Count.SUCCEEDED), count(Count.RETRIED), count(Count.PARKED), count(Count.DEAD))
    }

    private companion object {
        const val FAREWELL_FACTOR = 2
    }
}
