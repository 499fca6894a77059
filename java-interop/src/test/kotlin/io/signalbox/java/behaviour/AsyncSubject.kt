package io.signalbox.java.behaviour

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSettings
import io.signalbox.SemaphoreSnapshot
import io.signalbox.java.AsyncPermit
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.AsyncSignalbox
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionException
import kotlin.coroutines.resumeWithException
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration
import kotlin.time.toJavaDuration
import kotlinx.coroutines.suspendCancellableCoroutine

/** The asynchronous view, for the suite. */
class AsyncSubject(
    private val view: AsyncSignalbox,
) : Subject() {
    private val handles = Handles<AsyncSemaphore>(::SemaphoreSubject)

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

    override fun close() = view.close()

    override suspend fun closeAndJoin() {
        view.closeAsync().result()
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

        private fun java.util.Optional<AsyncPermit>.held() = map(::Held).getOrNull()

        override suspend fun permits(): Int = view.permits().result()

        override suspend fun availablePermits(): Int = view.availablePermits().result()

        override suspend fun isLocked(): Boolean = view.isLocked.result()

        override suspend fun snapshot(limit: Int): SemaphoreSnapshot = view.snapshot(limit).result().kotlin()

        override suspend fun resize(permits: Int) {
            view.resize(permits).result()
        }

        override suspend fun addPermits(permits: Int): Int = view.addPermits(permits).result()
    }

    private class Held(
        private val view: AsyncPermit,
    ) : PermitSubject(view) {
        override suspend fun release(): Boolean = view.release().result()

        override suspend fun extend(hold: Duration): Boolean = view.extend(hold.toJavaDuration()).result()
    }
}

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
