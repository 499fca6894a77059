package io.signalbox.java.internal

import io.signalbox.ConnectionState
import io.signalbox.InternalSignalboxApi
import io.signalbox.Semaphore as CoreSemaphore
import io.signalbox.Signalbox as CoreSignalbox
import io.signalbox.internal.Viewed
import io.signalbox.java.AsyncEvent
import io.signalbox.java.AsyncMutex
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.AsyncSignalbox
import io.signalbox.java.Event
import io.signalbox.java.EventOptions
import io.signalbox.java.HandleUsage
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
import java.util.concurrent.Flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.jdk9.asPublisher

/** The two views of [core]. A handle of the core has one pair of views, and keeps it: nothing here does, or no name would ever be forgotten. */
internal class SignalboxViews(
    val core: CoreSignalbox,
    val calls: Calls,
) {
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

    private fun views(semaphore: CoreSemaphore) = viewsOf(semaphore) { SemaphoreViews(semaphore, calls) }

    suspend fun mutex(
        name: String,
        options: MutexOptions,
    ): MutexViews = core.mutex(name) { take(options) }.let { mutex -> viewsOf(mutex) { MutexViews(mutex, calls) } }

    suspend fun event(
        name: String,
        options: EventOptions,
    ): EventViews = core.event(name) { take(options) }.let { event -> viewsOf(event) { EventViews(event, calls) } }

    fun lazySemaphore(
        name: String,
        permits: Int,
        options: SemaphoreOptions,
    ): SemaphoreViews = views(core.lazySemaphore(name, permits) { take(options) })

    fun lazyMutex(
        name: String,
        options: MutexOptions,
    ): MutexViews = core.lazyMutex(name) { take(options) }.let { mutex -> viewsOf(mutex) { MutexViews(mutex, calls) } }

    fun lazyEvent(
        name: String,
        options: EventOptions,
    ): EventViews = core.lazyEvent(name) { take(options) }.let { event -> viewsOf(event) { EventViews(event, calls) } }

    fun states(): Flow.Publisher<ConnectionState> = core.state.asPublisher(calls.dispatcher)

    fun usage(): List<HandleUsage> = core.usage().map { it.java() }

    suspend fun statistics(
        names: Collection<String>?,
        limit: Int,
    ): List<SemaphoreStatistics> = core.statistics(names, limit).map { it.java() }

    fun addListener(listener: SignalboxListener): Registration = core.addListener(ListenerBridge(Nulls.given(listener, "listener"))).let {
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
        ): CompletableFuture<AsyncSemaphore> = calls.given(name, "name").given(options, "options").future {
            views.semaphore(name, permits, options).async
        }

        override fun attach(
            name: String,
            timeout: Duration,
            options: SemaphoreOptions,
        ): CompletableFuture<AsyncSemaphore> = calls.given(name, "name").given(timeout, "timeout").given(options, "options").future {
            views.attach(name, timeout, options).async
        }

        override fun mutex(
            name: String,
            options: MutexOptions,
        ): CompletableFuture<AsyncMutex> = calls.given(name, "name").given(options, "options").future { views.mutex(name, options).async }

        override fun event(
            name: String,
            options: EventOptions,
        ): CompletableFuture<AsyncEvent> = calls.given(name, "name").given(options, "options").future { views.event(name, options).async }

        override fun lazySemaphore(
            name: String,
            permits: Int,
            options: SemaphoreOptions,
        ): AsyncSemaphore = calls.given(name, "name").given(options, "options").run { views.lazySemaphore(name, permits, options).async }

        override fun lazyMutex(
            name: String,
            options: MutexOptions,
        ): AsyncMutex = calls.given(name, "name").given(options, "options").run { views.lazyMutex(name, options).async }

        override fun lazyEvent(
            name: String,
            options: EventOptions,
        ): AsyncEvent = calls.given(name, "name").given(options, "options").run { views.lazyEvent(name, options).async }

        override fun state(): ConnectionState = views.core.state.value

        override fun states(): Flow.Publisher<ConnectionState> = views.states()

        override fun ping(): CompletableFuture<Duration> = calls.future { views.core.ping().java() }

        override fun ping(timeout: Duration): CompletableFuture<Duration> = calls.given(timeout, "timeout").future {
            views.core.ping(timeout.kotlin()).java()
        }

        override fun usage(): List<HandleUsage> = views.usage()

        override fun statistics(limit: Int): CompletableFuture<List<SemaphoreStatistics>> = calls.future { views.statistics(null, limit) }

        override fun statistics(
            names: Collection<String>,
            limit: Int,
        ): CompletableFuture<List<SemaphoreStatistics>> = calls.allGiven(names, "names").future { views.statistics(names, limit) }

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
        ): Semaphore = calls.given(name, "name").given(options, "options").block { views.semaphore(name, permits, options) }.blocking

        override fun attach(
            name: String,
            timeout: Duration,
            options: SemaphoreOptions,
        ): Semaphore = calls.given(name, "name").given(timeout, "timeout").given(options, "options").block {
            views.attach(name, timeout, options)
        }.blocking

        override fun mutex(
            name: String,
            options: MutexOptions,
        ): Mutex = calls.given(name, "name").given(options, "options").block { views.mutex(name, options) }.blocking

        override fun event(
            name: String,
            options: EventOptions,
        ): Event = calls.given(name, "name").given(options, "options").block { views.event(name, options) }.blocking

        override fun lazySemaphore(
            name: String,
            permits: Int,
            options: SemaphoreOptions,
        ): Semaphore = calls.given(name, "name").given(options, "options").run { views.lazySemaphore(name, permits, options).blocking }

        override fun lazyMutex(
            name: String,
            options: MutexOptions,
        ): Mutex = calls.given(name, "name").given(options, "options").run { views.lazyMutex(name, options).blocking }

        override fun lazyEvent(
            name: String,
            options: EventOptions,
        ): Event = calls.given(name, "name").given(options, "options").run { views.lazyEvent(name, options).blocking }

        override fun state(): ConnectionState = views.core.state.value

        override fun states(): Flow.Publisher<ConnectionState> = views.states()

        override fun ping(): Duration = calls.block { views.core.ping() }.java()

        override fun ping(timeout: Duration): Duration = calls.given(timeout, "timeout").block { views.core.ping(timeout.kotlin()) }.java()

        override fun usage(): List<HandleUsage> = views.usage()

        override fun statistics(limit: Int): List<SemaphoreStatistics> = calls.block { views.statistics(null, limit) }

        override fun statistics(
            names: Collection<String>,
            limit: Int,
        ): List<SemaphoreStatistics> = calls.allGiven(names, "names").block { views.statistics(names, limit) }

        override fun addListener(listener: SignalboxListener): Registration = views.addListener(listener)

        override fun observations(): Flow.Publisher<Observation> = views.observations()

        override fun async(): AsyncSignalbox = views.async

        override fun close() {
            calls.linger { views.core.closeAndJoin() }?.let { throw it }
        }

        override fun toString(): String = views.core.toString()
    }
}

@OptIn(InternalSignalboxApi::class)
private inline fun <reified V : Any> viewsOf(
    handle: Any,
    make: () -> V,
): V = synchronized(handle) { (handle as Viewed).run { views as V? ?: make().also { views = it } } }

internal fun Signalbox.views(): SignalboxViews =
    requireNotNull(this as? SignalboxViews.BlockingView) {
        "A client must be made by Signalbox.connect() or inMemory(), but was $this."
    }.views
