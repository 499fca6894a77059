package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Mutex as CoreMutex
import io.signalbox.Permit as CorePermit
import io.signalbox.internal.isHeld
import io.signalbox.java.AcquireOptions
import io.signalbox.java.AsyncMutex
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Attempt
import io.signalbox.java.Mutex
import io.signalbox.java.Permit
import io.signalbox.java.PermitCallable
import io.signalbox.java.SemaphoreSnapshot
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.concurrent.locks.Lock
import java.util.function.Function

/** The two views of [core]. */
@OptIn(InternalSignalboxApi::class)
internal class MutexViews(
    val core: CoreMutex,
    val calls: Calls,
) {
    val async: AsyncMutex = AsyncView(this)
    val blocking: Mutex = BlockingView(this)

    /** What this thread holds through [Mutex.withLock] or [Mutex.asLock]. */
    val heldHere = ThreadLocal<CorePermit>()

    val lock: Lock by lazy { LockView(this) }

    private class AsyncView(
        private val views: MutexViews,
    ) : AsyncMutex {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun lock(): CompletableFuture<AsyncPermit> = calls.grant { core.lock() }

        override fun lock(timeout: Duration): CompletableFuture<AsyncPermit> = calls.given(timeout, "timeout").grant {
            core.lock(timeout.kotlin())
        }

        override fun tryLock(): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant { core.tryLock() }

        override fun tryLock(timeout: Duration): CompletableFuture<Optional<AsyncPermit>> = calls.given(timeout, "timeout").maybeGrant {
            core.tryLock(timeout.kotlin())
        }

        override fun lock(options: AcquireOptions): CompletableFuture<AsyncPermit> = calls.given(options, "options").grant {
            core.lock(options)
        }

        override fun tryLock(options: AcquireOptions): CompletableFuture<Optional<AsyncPermit>> = calls.given(
            options,
            "options",
        ).maybeGrant {
            core.tryLock(options)
        }

        override fun <T> withLock(work: Function<in AsyncPermit, out CompletionStage<T>>): CompletableFuture<T> =
            calls.runFuture({ core.lock() }, work)

        override fun <T> withLock(
            options: AcquireOptions,
            work: Function<in AsyncPermit, out CompletionStage<T>>,
        ): CompletableFuture<T> = calls.given(options, "options").runFuture({ core.lock(options) }, work)

        override fun <T> tryWithLock(
            options: AcquireOptions,
            work: Function<in AsyncPermit, out CompletionStage<T>>,
        ): CompletableFuture<Attempt<T>> = calls.given(options, "options").tryFuture({ core.tryLock(options) }, work)

        override fun isLocked(): CompletableFuture<Boolean> = calls.future { core.isLocked() }

        override fun owner(): CompletableFuture<Optional<SemaphoreSnapshot.Holder>> =
            calls.future { Optional.ofNullable(core.owner()).map { it.java() } }

        override fun revoke(fencingToken: Long): CompletableFuture<Boolean> = calls.future { core.revoke(fencingToken) }

        override fun revoke(
            fencingToken: Long,
            patience: Duration,
        ): CompletableFuture<Boolean> = calls.given(patience, "patience").future { core.revoke(fencingToken, patience.kotlin()) }

        override fun delete(): CompletableFuture<Boolean> = calls.future { core.delete() }

        override fun snapshot(limit: Int): CompletableFuture<SemaphoreSnapshot> = calls.future { core.snapshot(limit).java() }

        override fun blocking(): Mutex = views.blocking

        override fun toString(): String = core.toString()
    }

    fun isHeldHere() = heldHere.get().let { it != null && !it.isLost && it.isHeld }

    private class BlockingView(
        private val views: MutexViews,
    ) : Mutex {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun lock(): Permit {
            requireNotHeldHere()
            return calls.awaitGrant { core.lock() }
        }

        override fun lock(timeout: Duration): Permit {
            calls.given(timeout, "timeout")
            requireNotHeldHere()
            return calls.awaitGrant { core.lock(timeout.kotlin()) }
        }

        override fun tryLock(): Optional<Permit> = calls.awaitMaybeGrant { core.tryLock() }

        override fun tryLock(timeout: Duration): Optional<Permit> {
            calls.given(timeout, "timeout")
            // It will not be free in any time.
            return if (isHeldHere()) Optional.empty() else calls.awaitMaybeGrant { core.tryLock(timeout.kotlin()) }
        }

        override fun lock(options: AcquireOptions): Permit {
            requireNotHeldHere()
            return calls.given(options, "options").awaitGrant { core.lock(options) }
        }

        override fun tryLock(options: AcquireOptions): Optional<Permit> =
            if (calls.given(options, "options").run { isHeldHere() }) Optional.empty() else calls.awaitMaybeGrant { core.tryLock(options) }

        override fun asLock(): Lock = views.lock

        override fun <T, X : Exception> withLock(
            options: AcquireOptions,
            work: PermitCallable<T, X>,
        ): T {
            requireNotHeldHere()
            return runLocked(calls.given(options, "options").given(work, "work").block(CorePermit::discard) { core.lock(options) }, work)
        }

        override fun <T, X : Exception> tryWithLock(
            options: AcquireOptions,
            work: PermitCallable<T, X>,
        ): Attempt<T> {
            if (isHeldHere()) return Attempt.notInTime()
            val permit =
                calls.given(options, "options").given(work, "work").block<CorePermit?>({ it?.discard() }) { core.tryLock(options) }
                    ?: return Attempt.notInTime()
            return Attempt.ran(runLocked(permit, work))
        }

        private fun <T, X : Exception> runLocked(
            permit: CorePermit,
            work: PermitCallable<T, X>,
        ): T {
            val outer = views.heldHere.get()
            views.heldHere.set(permit)
            try {
                return calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) }
            } finally {
                if (outer == null) views.heldHere.remove() else views.heldHere.set(outer)
            }
        }

        override fun isLocked(): Boolean = calls.block { core.isLocked() }

        override fun owner(): Optional<SemaphoreSnapshot.Holder> = Optional.ofNullable(calls.block { core.owner() }).map { it.java() }

        override fun revoke(fencingToken: Long): Boolean = calls.block { core.revoke(fencingToken) }

        override fun revoke(
            fencingToken: Long,
            patience: Duration,
        ): Boolean = calls.given(patience, "patience").block { core.revoke(fencingToken, patience.kotlin()) }

        override fun delete(): Boolean = calls.block { core.delete() }

        override fun snapshot(limit: Int): SemaphoreSnapshot = calls.block { core.snapshot(limit).java() }

        override fun async(): AsyncMutex = views.async

        /** Waiting for a lock inside of its own work would never end. */
        private fun requireNotHeldHere() {
            check(!isHeldHere()) {
                "Mutex '${core.name}' is already locked by this thread through withLock. A mutex is not reentrant: pass on what the " +
                    "outer work holds, or lock in one place only."
            }
        }

        /** The work may have released it itself. */
        private fun isHeldHere() = views.isHeldHere()

        override fun toString(): String = core.toString()
    }
}
