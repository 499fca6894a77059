@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal.timers

import io.signalbox.InternalSignalboxApi
import io.signalbox.SignalboxClosedException
import io.signalbox.internal.BackendOwner
import io.signalbox.internal.InsideClient
import io.signalbox.internal.SignalboxBackend
import io.signalbox.java.Registration
import io.signalbox.java.Signalbox
import io.signalbox.java.internal.Calls
import io.signalbox.java.internal.Nulls
import io.signalbox.java.internal.kotlin
import io.signalbox.java.internal.passingThreads
import io.signalbox.java.internal.views
import io.signalbox.java.timers.AsyncTimers
import io.signalbox.java.timers.DeadTimerPage
import io.signalbox.java.timers.HandledTimers
import io.signalbox.java.timers.NewTimer
import io.signalbox.java.timers.Recurrence
import io.signalbox.java.timers.Timer
import io.signalbox.java.timers.TimerEvent
import io.signalbox.java.timers.TimerListener
import io.signalbox.java.timers.TimerPage
import io.signalbox.java.timers.TimerQuery
import io.signalbox.java.timers.TimerWorker
import io.signalbox.java.timers.Timers
import io.signalbox.java.timers.TimersOptions
import io.signalbox.java.timers.Topic
import io.signalbox.timers.TimerListener as CoreListener
import io.signalbox.timers.Timers as CoreTimers
import io.signalbox.timers.TimersSettings
import java.time.Duration
import java.time.Instant
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutionException
import java.util.concurrent.Flow
import kotlin.jvm.optionals.getOrNull
import kotlinx.coroutines.Job
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.jdk9.asPublisher
import org.HdrHistogram.Histogram
import org.slf4j.LoggerFactory

/** Behind [Timers.create]. */
internal object TimersBridge {
    private const val DEFAULT_CONCURRENCY = 64

    @JvmStatic
    fun create(
        signalbox: Signalbox,
        options: TimersOptions,
    ): Timers {
        val client = Nulls.given(signalbox, "signalbox").views()
        Nulls.given(options, "options")
        // Shared with nothing that the library's own work depends on.
        val threads =
            options.blockingExecutor().getOrNull()
                ?: passingThreads("signalbox-handlers", maxOf(1, options.concurrency().orElse(DEFAULT_CONCURRENCY)))
        val blocking = threads.asCoroutineDispatcher()
        return TimersViews(
            CoreTimers(client.core, HandlerContext(blocking)) {
                take(options)
            },
            client.calls,
            (client.core as BackendOwner).backend,
        ).blocking
    }

    private fun TimersSettings<HandlerContext>.take(options: TimersOptions) {
        if (options.environment().isNotEmpty()) fromEnvironment(options.environment())
        options.name().ifPresent { name = it }
        options.routers().forEach { include(it.core()) }
        options.declaredTopics().forEach { declare(it.core()) }
        options.concurrency().ifPresent { concurrency = it }
        options.takeoverAfter().ifPresent { takeoverAfter = it.kotlin() }
        options.safetyCheck().ifPresent { safetyCheck = it.kotlin() }
        options.drainTimeout().ifPresent { drainTimeout = it.kotlin() }
        options.maxPayloadBytes().ifPresent { maxPayloadBytes = it }
        options.shards().ifPresent { shards = it }
        options.previousShards().ifPresent { previousShards = it }
        options.timelineKey().ifPresent { timelineKey = it }
        options.payloadsKey().ifPresent { payloadsKey = it }
        options.deadTimersPerTopic().ifPresent { deadTimersPerTopic = it }
        options.deadTimersFor().ifPresent { deadTimersFor = it.kotlin() }
        options.interceptors().forEach { intercept(it.core()) }
        options.listener().ifPresent { hearing -> listener = CoreListener { hearing.onEvent(it.java()) } }
    }
}

/** The two views of [core]. */
internal class TimersViews(
    val core: CoreTimers,
    private val calls: Calls,
    private val backend: SignalboxBackend,
) {
    private val requests = TimerRequests(core)

    val async: AsyncTimers = AsyncView()
    val blocking: Timers = BlockingView()

    private fun start(): TimerWorker {
        val worker = Worker(calls, backend) { core.run() }
        worker.failure()?.let { throw it }
        return worker
    }

    private fun events(): Flow.Publisher<TimerEvent> = core.events.map { it.java() }.asPublisher(calls.dispatcher)

    private fun addListener(listener: TimerListener): Registration {
        Nulls.given(listener, "listener")
        return core.addListener { listener.onEvent(it.java()) }.let { Registration(it::dispose) }
    }

    private inner class AsyncView : AsyncTimers {
        override fun <T : Any> schedule(
            topic: Topic<T>,
            id: String,
            payload: T,
            after: Duration,
        ): CompletableFuture<Void?> = calls.given(topic, "topic").given(id, "id").given(payload, "payload").given(after, "after").future {
            requests.schedule(topic, id, payload, after).let { null }
        }

        override fun <T : Any> schedule(
            topic: Topic<T>,
            id: String,
            payload: T,
            at: Instant,
        ): CompletableFuture<Void?> = calls.given(topic, "topic").given(id, "id").given(payload, "payload").given(at, "at").future {
            requests.schedule(topic, id, payload, at).let { null }
        }

        override fun <T : Any> schedule(
            topic: Topic<T>,
            timer: NewTimer<T>,
        ): CompletableFuture<Void?> = calls.given(topic, "topic").given(timer, "timer").future {
            requests.schedule(topic, timer).let { null }
        }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
            metadata: Map<String, String>,
        ): CompletableFuture<Boolean> = calls.given(
            topic,
            "topic",
        ).given(id, "id").given(payload, "payload").given(recurrence, "recurrence").allGiven(metadata, "metadata").future {
            requests.scheduleRecurring(topic, id, payload, recurrence, metadata)
        }

        override fun runNow(
            topic: Topic<*>,
            id: String,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").future { requests.runNow(topic, id) }

        override fun pauseTopic(topic: Topic<*>): CompletableFuture<Boolean> = calls.given(topic, "topic").future {
            requests.pauseTopic(topic)
        }

        override fun resumeTopic(topic: Topic<*>): CompletableFuture<Boolean> = calls.given(topic, "topic").future {
            requests.resumeTopic(topic)
        }

        override fun pausedTopics(): CompletableFuture<Set<String>> = calls.future { requests.pausedTopics() }

        override fun <T : Any> listPaused(
            topic: Topic<T>,
            query: TimerQuery,
        ): CompletableFuture<TimerPage<T>> = calls.given(topic, "topic").given(query, "query").future { requests.listPaused(topic, query) }

        override fun countPaused(topic: Topic<*>): CompletableFuture<Long> = calls.given(topic, "topic").future {
            requests.countPaused(topic)
        }

        override fun <T : Any> scheduleAll(
            topic: Topic<T>,
            timers: Collection<NewTimer<T>>,
        ): CompletableFuture<Void?> = calls.given(topic, "topic").allGiven(timers, "timers").future {
            requests.scheduleAll(topic, timers).let { null }
        }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
        ): CompletableFuture<Boolean> = calls.given(
            topic,
            "topic",
        ).given(id, "id").given(payload, "payload").given(recurrence, "recurrence").future {
            requests.scheduleRecurring(topic, id, payload, recurrence)
        }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
            first: Instant,
        ): CompletableFuture<Boolean> = calls.given(
            topic,
            "topic",
        ).given(id, "id").given(payload, "payload").given(recurrence, "recurrence").given(first, "first").future {
            requests.scheduleRecurring(topic, id, payload, recurrence, first)
        }

        override fun cancel(
            topic: Topic<*>,
            id: String,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").future { requests.cancel(topic, id) }

        override fun pause(
            topic: Topic<*>,
            id: String,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").future { requests.pause(topic, id) }

        override fun resume(
            topic: Topic<*>,
            id: String,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").future { requests.resume(topic, id) }

        override fun <T : Any> get(
            topic: Topic<T>,
            id: String,
        ): CompletableFuture<Optional<Timer<T>>> = calls.given(topic, "topic").given(id, "id").future { requests.get(topic, id) }

        override fun <T : Any> list(
            topic: Topic<T>,
            query: TimerQuery,
        ): CompletableFuture<TimerPage<T>> = calls.given(topic, "topic").given(query, "query").future { requests.list(topic, query) }

        override fun count(topic: Topic<*>): CompletableFuture<Long> = calls.given(topic, "topic").future { requests.count(topic) }

        override fun deadTimers(query: TimerQuery): CompletableFuture<DeadTimerPage> = calls.given(query, "query").future {
            requests.deadTimers(query)
        }

        override fun deadTimers(
            topic: String,
            query: TimerQuery,
        ): CompletableFuture<DeadTimerPage> = calls.given(topic, "topic").given(query, "query").future { requests.deadTimers(topic, query) }

        override fun requeue(
            topic: String,
            id: String,
            after: Duration,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").given(after, "after").future {
            requests.requeue(topic, id, after)
        }

        override fun discard(
            topic: String,
            id: String,
        ): CompletableFuture<Boolean> = calls.given(topic, "topic").given(id, "id").future { requests.discard(topic, id) }

        override fun handleReady(): CompletableFuture<HandledTimers> = calls.future { requests.handleReady() }

        override fun now(): CompletableFuture<Instant> = calls.future { requests.now() }

        override fun start(): TimerWorker = this@TimersViews.start()

        override fun events(): Flow.Publisher<TimerEvent> = this@TimersViews.events()

        override fun addListener(listener: TimerListener): Registration = this@TimersViews.addListener(listener)

        override fun lag(): Histogram = core.lag()

        override fun blocking(): Timers = this@TimersViews.blocking
    }

    inner class BlockingView : Timers {
        val views get() = this@TimersViews

        override fun <T : Any> schedule(
            topic: Topic<T>,
            id: String,
            payload: T,
            after: Duration,
        ): Unit = calls.given(topic, "topic").given(id, "id").given(payload, "payload").given(after, "after").block {
            requests.schedule(topic, id, payload, after)
        }

        override fun <T : Any> schedule(
            topic: Topic<T>,
            id: String,
            payload: T,
            at: Instant,
        ): Unit = calls.given(topic, "topic").given(id, "id").given(payload, "payload").given(at, "at").block {
            requests.schedule(topic, id, payload, at)
        }

        override fun <T : Any> schedule(
            topic: Topic<T>,
            timer: NewTimer<T>,
        ): Unit = calls.given(topic, "topic").given(timer, "timer").block { requests.schedule(topic, timer) }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
            metadata: Map<String, String>,
        ): Boolean = calls.given(
            topic,
            "topic",
        ).given(id, "id").given(payload, "payload").given(recurrence, "recurrence").allGiven(metadata, "metadata").block {
            requests.scheduleRecurring(topic, id, payload, recurrence, metadata)
        }

        override fun runNow(
            topic: Topic<*>,
            id: String,
        ): Boolean = calls.given(topic, "topic").given(id, "id").block { requests.runNow(topic, id) }

        override fun pauseTopic(topic: Topic<*>): Boolean = calls.given(topic, "topic").block { requests.pauseTopic(topic) }

        override fun resumeTopic(topic: Topic<*>): Boolean = calls.given(topic, "topic").block { requests.resumeTopic(topic) }

        override fun pausedTopics(): Set<String> = calls.block { requests.pausedTopics() }

        override fun <T : Any> listPaused(
            topic: Topic<T>,
            query: TimerQuery,
        ): TimerPage<T> = calls.given(topic, "topic").given(query, "query").block { requests.listPaused(topic, query) }

        override fun countPaused(topic: Topic<*>): Long = calls.given(topic, "topic").block { requests.countPaused(topic) }

        override fun <T : Any> scheduleAll(
            topic: Topic<T>,
            timers: Collection<NewTimer<T>>,
        ): Unit = calls.given(topic, "topic").allGiven(timers, "timers").block { requests.scheduleAll(topic, timers) }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
        ): Boolean = calls.given(topic, "topic").given(id, "id").given(payload, "payload").given(recurrence, "recurrence").block {
            requests.scheduleRecurring(topic, id, payload, recurrence)
        }

        override fun <T : Any> scheduleRecurring(
            topic: Topic<T>,
            id: String,
            payload: T,
            recurrence: Recurrence,
            first: Instant,
        ): Boolean = calls.given(
            topic,
            "topic",
        ).given(id, "id").given(payload, "payload").given(recurrence, "recurrence").given(first, "first").block {
            requests.scheduleRecurring(topic, id, payload, recurrence, first)
        }

        override fun cancel(
            topic: Topic<*>,
            id: String,
        ): Boolean = calls.given(topic, "topic").given(id, "id").block { requests.cancel(topic, id) }

        override fun pause(
            topic: Topic<*>,
            id: String,
        ): Boolean = calls.given(topic, "topic").given(id, "id").block { requests.pause(topic, id) }

        override fun resume(
            topic: Topic<*>,
            id: String,
        ): Boolean = calls.given(topic, "topic").given(id, "id").block { requests.resume(topic, id) }

        override fun <T : Any> get(
            topic: Topic<T>,
            id: String,
        ): Optional<Timer<T>> = calls.given(topic, "topic").given(id, "id").block { requests.get(topic, id) }

        override fun <T : Any> list(
            topic: Topic<T>,
            query: TimerQuery,
        ): TimerPage<T> = calls.given(topic, "topic").given(query, "query").block { requests.list(topic, query) }

        override fun count(topic: Topic<*>): Long = calls.given(topic, "topic").block { requests.count(topic) }

        override fun deadTimers(query: TimerQuery): DeadTimerPage = calls.given(query, "query").block { requests.deadTimers(query) }

        override fun deadTimers(
            topic: String,
            query: TimerQuery,
        ): DeadTimerPage = calls.given(topic, "topic").given(query, "query").block { requests.deadTimers(topic, query) }

        override fun requeue(
            topic: String,
            id: String,
            after: Duration,
        ): Boolean = calls.given(topic, "topic").given(id, "id").given(after, "after").block { requests.requeue(topic, id, after) }

        override fun discard(
            topic: String,
            id: String,
        ): Boolean = calls.given(topic, "topic").given(id, "id").block { requests.discard(topic, id) }

        override fun handleReady(): HandledTimers = calls.block { requests.handleReady() }

        override fun now(): Instant = calls.block { requests.now() }

        override fun start(): TimerWorker = this@TimersViews.start()

        override fun events(): Flow.Publisher<TimerEvent> = this@TimersViews.events()

        override fun addListener(listener: TimerListener): Registration = this@TimersViews.addListener(listener)

        override fun lag(): Histogram = core.lag()

        override fun async(): AsyncTimers = this@TimersViews.async
    }
}

/** A coroutine that handles timers, in the hands of a Java program. */
private class Worker(
    calls: Calls,
    private val backend: SignalboxBackend,
    run: suspend () -> Unit,
) : TimerWorker {
    private val end = CompletableFuture<Void?>()
    private val running: Job = calls.launch(end, run)

    init {
        if (failure() == null) {
            end.whenComplete { _, problem ->
                if (problem != null &&
                    problem !is SignalboxClosedException
                ) {
                    log.error("The worker has ended, and handles no timers any more", problem)
                }
            }
        }
    }

    /** Why it could not start. */
    fun failure(): Throwable? =
        try {
            end.getNow(null)
            null
        } catch (failed: java.util.concurrent.CompletionException) {
            failed.cause
        }

    override fun stop(): CompletableFuture<Void?> {
        running.cancel()
        return end.handle { _, _ -> null }
    }

    override fun ended(): CompletableFuture<Void?> = end.copy()

    override fun close() {
        val stopped = stop()
        // Its end waits for the handler from which this is called.
        if (InsideClient.isInside(backend)) return
        try {
            stopped.get()
        } catch (_: InterruptedException) {
            Thread.currentThread().interrupt()
        } catch (failed: ExecutionException) {
            throw failed.cause!!
        }
    }

    private companion object {
        val log = LoggerFactory.getLogger(Worker::class.java)
    }
}
