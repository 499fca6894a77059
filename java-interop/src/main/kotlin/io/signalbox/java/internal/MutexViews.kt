package io.signalbox.java.internal

import io.signalbox.Mutex as CoreMutex
import io.signalbox.Permit as CorePermit
import io.signalbox.java.AsyncMutex
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Mutex
import io.signalbox.java.Permit
import io.signalbox.java.PermitCallable
import io.signalbox.java.SemaphoreSnapshot
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Function

/** The two views of [core]. */
internal class MutexViews(
    val core: CoreMutex,
    val calls: Calls,
) {
    val async: AsyncMutex = AsyncView(this)
    val blocking: Mutex = BlockingView(this)

    /** What this thread holds through [Mutex.withLock]. */
    private val heldHere = ThreadLocal<CorePermit>()

    private class AsyncView(
        private val views: MutexViews,
    ) : AsyncMutex {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun lock(): CompletableFuture<AsyncPermit> = calls.grant { core.lock() }

        override fun lock(timeout: Duration): CompletableFuture<AsyncPermit> = calls.grant { core.lock(timeout.kotlin()) }

        override fun tryLock(): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant { core.tryLock() }

        override fun tryLock(timeout: Duration): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant {
            core.tryLock(timeout.kotlin())
        }

        override fun <T> withLock(work: Function<in AsyncPermit, out CompletionStage<T>>): CompletableFuture<T> =
            calls.future {
                val permit = core.lock()
                useUntilEndOf(permit) { work.apply(PermitViews(permit, calls).async) }
            }

        override fun isLocked(): CompletableFuture<Boolean> = calls.future { core.isLocked() }

        override fun owner(): CompletableFuture<Optional<SemaphoreSnapshot.Holder>> =
            calls.future { Optional.ofNullable(core.owner()).map { it.java() } }

        override fun snapshot(limit: Int): CompletableFuture<SemaphoreSnapshot> = calls.future { core.snapshot(limit).java() }

        override fun blocking(): Mutex = views.blocking

        override fun toString(): String = core.toString()
    }

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
            requireNotHeldHere()
            return calls.awaitGrant { core.lock(timeout.kotlin()) }
        }

        override fun tryLock(): Optional<Permit> = calls.awaitMaybeGrant { core.tryLock() }

        override fun tryLock(timeout: Duration): Optional<Permit> {
            if (timeout > Duration.ZERO) requireNotHeldHere()
            return calls.awaitMaybeGrant { core.tryLock(timeout.kotlin()) }
        }

        override fun <T> withLock(work: PermitCallable<T>): T {
            requireNotHeldHere()
            val permit = calls.block(CorePermit::discard) { core.lock() }
            views.heldHere.set(permit)
            try {
                return calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) }
            } finally {
                views.heldHere.remove()
            }
        }

        override fun isLocked(): Boolean = calls.block { core.isLocked() }

        override fun owner(): Optional<SemaphoreSnapshot.Holder> = Optional.ofNullable(calls.block { core.owner() }).map { it.java() }

        override fun snapshot(limit: Int): SemaphoreSnapshot = calls.block { core.snapshot(limit).java() }

        override fun async(): AsyncMutex = views.async

        /** Waiting for a lock inside of its own work would never end. */
        private fun requireNotHeldHere() {
            val held = views.heldHere.get()
            check(held == null || held.isLost) {
                "Mutex '${core.name}' is already locked by this thread through withLock. A mutex is not reentrant: pass on what the " +
                    "outer work holds, or lock in one place only."
            }
        }

        override fun toString(): String = core.toString()
    }
}
