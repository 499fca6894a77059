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
import io.signalbox.java.Signalbox
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ExecutorService
import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.locks.LockSupport
import kotlin.coroutines.resumeWithException
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlin.time.toKotlinDuration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.suspendCancellableCoroutine
import kotlinx.coroutines.withContext

/** The blocking view, for the suite: every call has a thread of [threads] wait, and cancelling it interrupts that. */
class BlockingSubject(
    private val view: Signalbox,
    private val threads: ExecutorService,
    looker: () -> io.signalbox.Signalbox,
) : Subject(looker) {
    private val handles = Handles(::SemaphoreSubject)
    private val mutexes = Handles(::MutexSubject)
    private val events = Handles(::EventSubject)

    override suspend fun semaphore(
        name: String,
        permits: Int,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = handles.of(block { view.semaphore(name, permits, semaphoreOptions(configure)) })

    override suspend fun attach(
        name: String,
        timeout: Duration,
        configure: SemaphoreSettings.() -> Unit,
    ): Semaphore = handles.of(block { view.attach(name, timeout.toJavaDuration(), semaphoreOptions(configure)) })

    override suspend fun mutex(
        name: String,
        configure: MutexSettings.() -> Unit,
    ): Mutex = mutexes.of(block { view.mutex(name, mutexOptions(configure)) })

    override suspend fun event(
        name: String,
        configure: EventSettings.() -> Unit,
    ): Event = events.of(block { view.event(name, eventOptions(configure)) })

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
        block { if (timeout == null) view.ping() else view.ping(timeout.toJavaDuration()) }.toKotlinDuration()

    override fun close() = view.async().close()

    override suspend fun closeAndJoin() {
        block { view.close() }
        closeLooker()
    }

    private inner class SemaphoreSubject(
        private val view: io.signalbox.java.Semaphore,
    ) : Semaphore {
        override val name: String get() = view.name()

        override suspend fun acquire(permits: Int): Permit = Held(block({ it.close() }) { view.acquire(permits) })

        override suspend fun acquire(
            permits: Int,
            timeout: Duration,
        ): Permit = Held(block({ it.close() }) { view.acquire(permits, timeout.toJavaDuration()) })

        override suspend fun tryAcquire(permits: Int): Permit? = maybe { view.tryAcquire(permits) }

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ): Permit? = maybe { view.tryAcquire(permits, timeout.toJavaDuration()) }

        override suspend fun acquire(
            permits: Int,
            timeout: Duration?,
            maxHold: Duration,
        ): Permit = Held(block({ it.close() }) { view.acquire(options(permits, timeout, maxHold)) })

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
            maxHold: Duration,
        ): Permit? = maybe { view.tryAcquire(options(permits, timeout, maxHold)) }

        override suspend fun acquire(
            permits: Int,
            timeout: Duration?,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit = Held(block({ it.close() }) { view.acquire(options(permits, timeout, maxHold, minHold)) })

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit? = maybe { view.tryAcquire(options(permits, timeout, maxHold, minHold)) }

        override suspend fun permits(): Int = block { view.permits() }

        override suspend fun availablePermits(): Int = block { view.availablePermits() }

        override suspend fun isLocked(): Boolean = block { view.isLocked }

        override suspend fun snapshot(limit: Int): SemaphoreSnapshot = block { view.snapshot(limit) }.kotlin()

        override suspend fun resize(permits: Int) = block { view.resize(permits) }

        override suspend fun redeclare(permits: Int) = block { view.redeclare(permits) }

        override suspend fun revoke(
            fencingToken: Long,
            patience: Duration?,
        ): Boolean =
            if (patience == null) {
                block { view.revoke(fencingToken) }
            } else {
                block { view.revoke(fencingToken, patience.toJavaDuration()) }
            }

        override suspend fun delete(): Boolean = block { view.delete() }

        override suspend fun addPermits(permits: Int): Int = block { view.addPermits(permits) }
    }

    private inner class MutexSubject(
        private val view: io.signalbox.java.Mutex,
    ) : Mutex {
        override val name: String get() = view.name()

        override suspend fun lock(): Permit = Held(block({ it.close() }) { view.lock() })

        override suspend fun lock(timeout: Duration): Permit = Held(block({ it.close() }) { view.lock(timeout.toJavaDuration()) })

        override suspend fun tryLock(): Permit? = maybe { view.tryLock() }

        override suspend fun tryLock(timeout: Duration): Permit? = maybe { view.tryLock(timeout.toJavaDuration()) }

        override suspend fun lock(
            timeout: Duration?,
            maxHold: Duration,
        ): Permit = Held(block({ it.close() }) { view.lock(options(1, timeout, maxHold)) })

        override suspend fun tryLock(
            timeout: Duration,
            maxHold: Duration,
        ): Permit? = maybe { view.tryLock(options(1, timeout, maxHold)) }

        override suspend fun lock(
            timeout: Duration?,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit = Held(block({ it.close() }) { view.lock(options(1, timeout, maxHold, minHold)) })

        override suspend fun tryLock(
            timeout: Duration,
            maxHold: Duration?,
            minHold: Duration,
        ): Permit? = maybe { view.tryLock(options(1, timeout, maxHold, minHold)) }

        override suspend fun isLocked(): Boolean = block { view.isLocked }

        override suspend fun owner(): SemaphoreSnapshot.Holder? = block { view.owner() }.getOrNull()?.kotlin()

        override suspend fun revoke(
            fencingToken: Long,
            patience: Duration?,
        ): Boolean =
            if (patience == null) {
                block { view.revoke(fencingToken) }
            } else {
                block { view.revoke(fencingToken, patience.toJavaDuration()) }
            }

        override suspend fun delete(): Boolean = block { view.delete() }

        override suspend fun snapshot(limit: Int): SemaphoreSnapshot = block { view.snapshot(limit) }.kotlin()
    }

    private inner class EventSubject(
        private val view: io.signalbox.java.Event,
    ) : LookableEvent(view.name()) {
        override suspend fun set() = block { view.set() }

        override suspend fun await() = block({ setAgain() }) { view.await() }

        override suspend fun await(timeout: Duration) = block({ setAgain() }) { view.await(timeout.toJavaDuration()) }

        override suspend fun tryAwait(timeout: Duration): Boolean =
            block({ if (it) setAgain() }) { view.tryAwait(timeout.toJavaDuration()) }

        /** The thread that got the signal has been interrupted, so it cannot wait. */
        private fun setAgain() {
            view.async().set()
        }

        override suspend fun clear(): Int = block { view.clear() }

        override suspend fun delete(): Boolean = block { view.delete() }

        override suspend fun isSet(): Boolean = block { view.isSet }
    }

    private suspend fun maybe(call: () -> Optional<io.signalbox.java.Permit>): Permit? =
        block({ it.ifPresent { permit -> permit.close() } }, call).map { Held(it) }.getOrNull()

    private inner class Held(
        private val view: io.signalbox.java.Permit,
    ) : PermitSubject(view) {
        /** A release cannot be cancelled, so its thread is not interrupted before it has begun. */
        override suspend fun release(): Boolean = block(interruptible = false) { view.release() }

        override suspend fun extend(hold: Duration): Boolean = block { view.extend(hold.toJavaDuration()) }
    }

    private suspend fun <T> block(
        giveBack: (T) -> Unit = {},
        interruptible: Boolean = true,
        call: () -> T,
    ): T {
        val ended = CompletableDeferred<Unit>()
        try {
            return suspendCancellableCoroutine { continuation ->
                val thread = AtomicReference<Thread>()
                val task = threads.submit {
                    thread.set(Thread.currentThread())
                    val result = runCatching(call)
                    ended.complete(Unit)
                    result.onSuccess { continuation.resume(it) { _, unwanted, _ -> giveBack(unwanted) } }
                    result.onFailure { continuation.resumeWithException(it) }
                }
                if (interruptible) continuation.invokeOnCancellation { task.cancel(true) }
                // The suite takes what was started first for what was asked for first.
                while (!task.isDone && !thread.get().waitsForAnswer()) Thread.onSpinWait()
            }
        } catch (cancelled: CancellationException) {
            // The suite takes what was cancelled and joined for over: so is the call of an interrupted thread when it has returned.
            if (interruptible) withContext(NonCancellable) { ended.await() }
            throw cancelled
        }
    }

    private fun Thread?.waitsForAnswer() =
        this != null && LockSupport.getBlocker(this)?.javaClass?.enclosingClass == CompletableFuture::class.java

    private suspend fun <T> block(
        giveBack: (T) -> Unit,
        call: () -> T,
    ): T = block(giveBack, interruptible = true, call)
}
