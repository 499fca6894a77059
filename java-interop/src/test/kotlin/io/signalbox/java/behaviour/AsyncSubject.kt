package io.signalbox.java.behaviour

import io.signalbox.ConnectionState
import io.signalbox.Event
import io.signalbox.EventSettings
import io.signalbox.Mutex
import io.signalbox.MutexSettings
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSettings
import io.signalbox.SemaphoreSnapshot
import io.signalbox.Signalbox
import io.signalbox.java.AsyncEvent
import io.signalbox.java.AsyncMutex
import io.signalbox.java.AsyncPermit
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.AsyncSignalbox
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import kotlin.coroutines.resumeWithException
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.suspendCancellableCoroutine

/** The asynchronous view, for the suite. */
class AsyncSubject(
    private val view: AsyncSignalbox,
    looker: () -> Signalbox,
) : Subject(looker) {
    private val handles = Handles(::SemaphoreSubject)
    private val mutexes = Handles(::MutexSubject)
    private val events = Handles(::EventSubject)

    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = handles.of(view.semaphore(name, permits, semaphoreOptions(configure)).result())

    override suspend fun attach(
        name: String,
        timeout: Duration,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = handles.of(view.attach(name, timeout.toJavaDuration(), semaphoreOptions(configure)).result())

    override suspend fun mutex(
        name: String,
        configure: MutexSettings.() -> Unit,
    ): Mutex = mutexes.of(view.mutex(name, mutexOptions(configure)).result())

    override suspend fun event(
        name: String,
        configure: EventSettings.() -> Unit,
    ): Event = events.of(view.event(name, eventOptions(configure)).result())

    override fun lazySemaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = handles.of(view.lazySemaphore(name, permits, semaphoreOptions(configure)))

    override fun lazyMutex(
        name: String,
        configure: MutexSettings.() -> Unit,
    ): Mutex = mutexes.of(view.lazyMutex(name, mutexOptions(configure)))

    override fun lazyEvent(
        name: String,
        configure: EventSettings.() -> Unit,
    ): Event = events.of(view.lazyEvent(name, eventOptions(configure)))

    override val state: StateFlow<ConnectionState> get() = MutableStateFlow(view.state())

    override suspend fun ping(timeout: Duration?): Duration =
        (if (timeout == null) view.ping() else view.ping(timeout.toJavaDuration())).result().toKotlinDuration()

    override fun close() = view.close()

    override suspend fun closeAndJoin() {
        view.closeAsync().result()
        closeLooker()
    }

    private class SemaphoreSubject(
        private val view: AsyncSemaphore,
    ) : Semaphore {
        override val name: String get() = view.name()

        override suspend fun acquire(permits: Int): Permit = Held(view.acquire(permits).result { it.close() })

        override suspend fun acquire(
            permits: Int,
            timeout: Duration,
        ): Permit = Held(view.acquire(permits, timeout.toJavaDuration()).result { it.close() })

        override suspend fun tryAcquire(permits: Int): Permit? = view.tryAcquire(permits).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ): Permit? = view.tryAcquire(permits, timeout.toJavaDuration()).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun acquire(
            permits: Int,
            timeout: Duration?,
            maxHold: Duration,
        ): Permit = Held(view.acquire(options(permits, timeout, maxHold)).result { it.close() })

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
            maxHold: Duration,
        ): Permit? = view.tryAcquire(options(permits, timeout, maxHold)).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun acquire(
            permits: Int,
            timeout: Duration?,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit = Held(view.acquire(options(permits, timeout, maxHold, minHold)).result { it.close() })

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit? = view.tryAcquire(options(permits, timeout, maxHold, minHold)).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun permits(): Int = view.permits().result()

        override suspend fun availablePermits(): Int = view.availablePermits().result()

        override suspend fun isLocked(): Boolean = view.isLocked.result()

        override suspend fun snapshot(limit: Int): SemaphoreSnapshot = view.snapshot(limit).result().kotlin()

        override suspend fun resize(permits: Int) {
            view.resize(permits).result()
        }

        override suspend fun redeclare(permits: Int) {
            view.redeclare(permits).result()
        }

        override suspend fun revoke(
            fencingToken: Long,
            patience: Duration?,
        ): Boolean =
            if (patience == null) {
                view.revoke(fencingToken).result()
            } else {
                view.revoke(fencingToken, patience.toJavaDuration()).result()
            }

        override suspend fun delete(): Boolean = view.delete().result()

        override suspend fun addPermits(permits: Int): Int = view.addPermits(permits).result()
    }

    private class MutexSubject(
        private val view: AsyncMutex,
    ) : Mutex {
        override val name: String get() = view.name()

        override suspend fun lock(): Permit = Held(view.lock().result { it.close() })

        override suspend fun lock(timeout: Duration): Permit = Held(view.lock(timeout.toJavaDuration()).result { it.close() })

        override suspend fun tryLock(): Permit? = view.tryLock().result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun tryLock(timeout: Duration): Permit? =
            view.tryLock(timeout.toJavaDuration()).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun lock(
            timeout: Duration?,
            maxHold: Duration,
        ): Permit = Held(view.lock(options(1, timeout, maxHold)).result { it.close() })

        override suspend fun tryLock(
            timeout: Duration,
            maxHold: Duration,
        ): Permit? = view.tryLock(options(1, timeout, maxHold)).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun lock(
            timeout: Duration?,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit = Held(view.lock(options(1, timeout, maxHold, minHold)).result { it.close() })

        override suspend fun tryLock(
            timeout: Duration,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit? = view.tryLock(options(1, timeout, maxHold, minHold)).result { it.ifPresent(AsyncPermit::close) }.held()

        override suspend fun isLocked(): Boolean = view.isLocked.result()

        override suspend fun owner(): SemaphoreSnapshot.Holder? = view.owner().result().getOrNull()?.kotlin()

        override suspend fun revoke(
            fencingToken: Long,
            patience: Duration?,
        ): Boolean =
            if (patience == null) {
                view.revoke(fencingToken).result()
            } else {
                view.revoke(fencingToken, patience.toJavaDuration()).result()
            }

        override suspend fun delete(): Boolean = view.delete().result()

        override suspend fun snapshot(limit: Int): SemaphoreSnapshot = view.snapshot(limit).result().kotlin()
    }

    private inner class EventSubject(
        private val view: AsyncEvent,
    ) : LookableEvent(view.name()) {
        override suspend fun set() {
            view.set().result()
        }

        override suspend fun await() {
            view.await().result { view.set() }
        }

        override suspend fun await(timeout: Duration) {
            view.await(timeout.toJavaDuration()).result { view.set() }
        }

        override suspend fun tryAwait(timeout: Duration): Boolean =
            view.tryAwait(timeout.toJavaDuration()).result { if (it) view.set() }

        override suspend fun clear(): Int = view.clear().result()

        override suspend fun delete(): Boolean = view.delete().result()

        override suspend fun isSet(): Boolean = view.isSet.result()
    }
}

private class Held(
    private val view: AsyncPermit,
) : PermitSubject(view) {
    override suspend fun release(): Boolean = view.release().result()

    override suspend fun extend(hold: Duration): Boolean = view.extend(hold.toJavaDuration()).result()
}

private fun Optional<AsyncPermit>.held(): Permit? = map { Held(it) }.getOrNull()

/** Cancels the future if it is cancelled. */
private suspend fun <T> CompletableFuture<T>.result(giveBack: (T) -> Unit = {}): T =
    suspendCancellableCoroutine { continuation ->
        whenComplete { result, failure ->
            if (failure == null) {
                continuation.resume(result) { _, unwanted, _ -> giveBack(unwanted) }
            } else {
                continuation.resumeWithException((failure as? CompletionException)?.cause ?: failure)
            }
        }
        continuation.invokeOnCancellation { cancel(false) }
    }
