package io.signalbox.java.internal

import io.signalbox.Event as CoreEvent
import io.signalbox.Mutex as CoreMutex
import io.signalbox.Semaphore as CoreSemaphore
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.java.AsyncEvent
import io.signalbox.java.AsyncMutex
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.AsyncSignalbox
import io.signalbox.java.Event
import io.signalbox.java.EventOptions
import io.signalbox.java.Mutex
import io.signalbox.java.MutexOptions
import io.signalbox.java.Observation
import io.signalbox.java.Registration
import io.signalbox.java.Semaphore
import io.signalbox.java.SemaphoreOptions
import io.signalbox.java.SemaphoreStatistics
import io.signalbox.java.Signalbox
import io.signalbox.java.SignalboxListener
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.jdk9.asPublisher

/** The two views of [core]. A handle of the core has one pair of views. */
internal class SignalboxViews(
    val core: CoreSignalbox,
    val calls: Calls,
) {
    private val semaphores = ConcurrentHashMap<CoreSemaphore, SemaphoreViews>()
    private val mutexes = ConcurrentHashMap<CoreMutex, MutexViews>()
    private val events = ConcurrentHashMap<CoreEvent, EventViews>()

    val async: AsyncSignalbox = AsyncView(this)
    val blocking: Signalbox = BlockingView(this)

    suspend fun semaphore(
        name: String,
        permits: Int,
        options: SemaphoreOptions,
    ): SemaphoreViews = views(core.semaphore(name, permits) { take(options) })

    suspend fun attach(
        name: String,
        timeout: Duration,
        options: SemaphoreOptions,
    ): SemaphoreViews = views(core.attach(name, timeout.kotlin()) { take(options) })

    private fun views(semaphore: CoreSemaphore) = semaphores.computeIfAbsent(semaphore) { SemaphoreViews(it, calls) }

    suspend fun mutex(
        name: String,
        options: MutexOptions,
    ): MutexViews = mutexes.computeIfAbsent(core.mutex(name) { take(options) }) { MutexViews(it, calls) }

    suspend fun event(
        name: String,
        options: EventOptions,
    ): EventViews = events.computeIfAbsent(core.event(name) { take(options) }) { EventViews(it, calls) }

    suspend fun statistics(
        names: Collection<String>?,
        limit: Int,
    ): List<SemaphoreStatistics> = core.statistics(names, limit).map { it.java() }

    fun addListener(listener: SignalboxListener): Registration = core.addListener(ListenerBridge(listener)).let {
        Registration(it::dispose)
    }

    fun observations(): Flow.Publisher<Observation> = core.observations().map { it.java() }.asPublisher(calls.dispatcher)

    private class AsyncView(
        private val views: SignalboxViews,
    ) : AsyncSignalbox {
        private val calls = views.calls

        override fun semaphore(
            name: String,
            permits: Int,
            options: SemaphoreOptions,
        ): CompletableFuture<AsyncSemaphore> = calls.future { views.semaphore(name, permits, options).async }

        override fun attach(
            name: String,
            timeout: Duration,
            options: SemaphoreOptions,
        ): CompletableFuture<AsyncSemaphore> = calls.future { views.attach(name, timeout, options).async }

        override fun mutex(
            name: String,
            options: MutexOptions,
        ): CompletableFuture<AsyncMutex> = calls.future { views.mutex(name, options).async }

        override fun event(
            name: String,
            options: EventOptions,
        ): CompletableFuture<AsyncEvent> = calls.future { views.event(name, options).async }

        override fun statistics(limit: Int): CompletableFuture<List<SemaphoreStatistics>> = calls.future { views.statistics(null, limit) }

        override fun statistics(
            names: Collection<String>,
            limit: Int,
        ): CompletableFuture<List<SemaphoreStatistics>> = calls.future { views.statistics(names, limit) }

        override fun addListener(listener: SignalboxListener): Registration = views.addListener(listener)

        override fun observations(): Flow.Publisher<Observation> = views.observations()

        override fun blocking(): Signalbox = views.blocking

        override fun close() = views.core.close()

        override fun closeAsync(): CompletableFuture<Void?> =
            calls.future {
                views.core.closeAndJoin()
                null
            }

        override fun toString(): String = views.core.toString()
    }

    class BlockingView(
        val views: SignalboxViews,
    ) : Signalbox {
        private val calls = views.calls

        override fun semaphore(
            name: String,
            permits: Int,
            options: SemaphoreOptions,
        ): Semaphore = calls.block { views.semaphore(name, permits, options) }.blocking

        override fun attach(
            name: String,
            timeout: Duration,
            options: SemaphoreOptions,
        ): Semaphore = calls.block { views.attach(name, timeout, options) }.blocking

        override fun mutex(
            name: String,
            options: MutexOptions,
        ): Mutex = calls.block { views.mutex(name, options) }.blocking

        override fun event(
            name: String,
            options: EventOptions,
        ): Event = calls.block { views.event(name, options) }.blocking

        override fun statistics(limit: Int): List<SemaphoreStatistics> = calls.block { views.statistics(null, limit) }

        override fun statistics(
            names: Collection<String>,
            limit: Int,
        ): List<SemaphoreStatistics> = calls.block { views.statistics(names, limit) }

        override fun addListener(listener: SignalboxListener): Registration = views.addListener(listener)

        override fun observations(): Flow.Publisher<Observation> = views.observations()

        override fun async(): AsyncSignalbox = views.async

        override fun close() {
            calls.linger { views.core.closeAndJoin() }?.let { throw it }
        }

        override fun toString(): String = views.core.toString()
    }
}

internal fun Signalbox.views(): SignalboxViews =
    requireNotNull(this as? SignalboxViews.BlockingView) {
        "A client must be made by Signalbox.connect() or inMemory(), but was $this."
    }.views
