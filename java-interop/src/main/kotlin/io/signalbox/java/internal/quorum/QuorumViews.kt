package io.signalbox.java.internal.quorum

import io.signalbox.java.internal.Calls
import io.signalbox.java.internal.kotlin
import io.signalbox.java.quorum.AsyncQuorumMutex
import io.signalbox.java.quorum.AsyncQuorumSemaphore
import io.signalbox.java.quorum.AsyncSignalboxQuorum
import io.signalbox.java.quorum.QuorumMutex
import io.signalbox.java.quorum.QuorumSemaphore
import io.signalbox.java.quorum.SignalboxQuorum
import io.signalbox.quorum.QuorumMutex as CoreMutex
import io.signalbox.quorum.QuorumSemaphore as CoreSemaphore
import io.signalbox.quorum.SignalboxQuorum as CoreQuorum
import java.time.Duration
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentHashMap

/** The two views of [core]. A handle of the core has one pair of views. */
internal class QuorumViews(
    val core: CoreQuorum,
    val calls: Calls,
) {
    private val semaphores = ConcurrentHashMap<CoreSemaphore, QuorumSemaphoreViews>()
    private val mutexes = ConcurrentHashMap<CoreMutex, QuorumMutexViews>()

    val async: AsyncSignalboxQuorum = AsyncView(this)
    val blocking: SignalboxQuorum = BlockingView(this)

    suspend fun semaphore(
        name: String,
        permits: Int,
        timeout: Duration?,
    ): QuorumSemaphoreViews {
        val semaphore = core.semaphore(name, permits) { timeout?.let { acquireTimeout = it.kotlin() } }
        return semaphores.computeIfAbsent(semaphore) { QuorumSemaphoreViews(it, calls) }
    }

    suspend fun mutex(
        name: String,
        timeout: Duration?,
    ): QuorumMutexViews {
        val mutex = core.mutex(name) { timeout?.let { lockTimeout = it.kotlin() } }
        return mutexes.computeIfAbsent(mutex) { QuorumMutexViews(it, calls) }
    }

    private class AsyncView(
        private val views: QuorumViews,
    ) : AsyncSignalboxQuorum {
        private val calls = views.calls

        override fun masters(): Int = views.core.masters

        override fun semaphore(
            name: String,
            permits: Int,
        ): CompletableFuture<AsyncQuorumSemaphore> = calls.given(name, "name").future { views.semaphore(name, permits, null).async }

        override fun semaphore(
            name: String,
            permits: Int,
            acquireTimeout: Duration,
        ): CompletableFuture<AsyncQuorumSemaphore> =
            calls.given(name, "name")
                .given(acquireTimeout, "acquireTimeout").future { views.semaphore(name, permits, acquireTimeout).async }

        override fun mutex(name: String): CompletableFuture<AsyncQuorumMutex> =
            calls.given(name, "name").future { views.mutex(name, null).async }

        override fun mutex(
            name: String,
            lockTimeout: Duration,
        ): CompletableFuture<AsyncQuorumMutex> =
            calls.given(name, "name").given(lockTimeout, "lockTimeout").future { views.mutex(name, lockTimeout).async }

        override fun blocking(): SignalboxQuorum = views.blocking

        override fun close() = views.core.close()

        override fun closeAsync(): CompletableFuture<Void?> =
            calls.future {
                views.core.closeAndJoin()
                null
            }

        override fun toString(): String = views.core.toString()
    }

    private class BlockingView(
        private val views: QuorumViews,
    ) : SignalboxQuorum {
        private val calls = views.calls

        override fun masters(): Int = views.core.masters

        override fun semaphore(
            name: String,
            permits: Int,
        ): QuorumSemaphore = calls.given(name, "name").block { views.semaphore(name, permits, null) }.blocking

        override fun semaphore(
            name: String,
            permits: Int,
            acquireTimeout: Duration,
        ): QuorumSemaphore =
            calls.given(name, "name")
                .given(acquireTimeout, "acquireTimeout").block { views.semaphore(name, permits, acquireTimeout) }.blocking

        override fun mutex(name: String): QuorumMutex = calls.given(name, "name").block { views.mutex(name, null) }.blocking

        override fun mutex(
            name: String,
            lockTimeout: Duration,
        ): QuorumMutex = calls.given(name, "name").given(lockTimeout, "lockTimeout").block { views.mutex(name, lockTimeout) }.blocking

        override fun async(): AsyncSignalboxQuorum = views.async

        override fun close() {
            calls.linger { views.core.closeAndJoin() }?.let { throw it }
        }

        override fun toString(): String = views.core.toString()
    }
}
