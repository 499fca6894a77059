package io.signalbox.java.internal.quorum

import io.signalbox.InternalSignalboxApi
import io.signalbox.Permit as CorePermit
import io.signalbox.internal.isHeld
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Permit
import io.signalbox.java.PermitCallable
import io.signalbox.java.internal.Calls
import io.signalbox.java.internal.PermitViews
import io.signalbox.java.internal.awaitGrant
import io.signalbox.java.internal.awaitMaybeGrant
import io.signalbox.java.internal.discard
import io.signalbox.java.internal.grant
import io.signalbox.java.internal.kotlin
import io.signalbox.java.internal.maybeGrant
import io.signalbox.java.internal.runWith
import io.signalbox.java.internal.useUntilEndOf
import io.signalbox.java.quorum.AsyncQuorumMutex
import io.signalbox.java.quorum.QuorumMutex
import io.signalbox.java.quorum.QuorumSnapshot
import io.signalbox.quorum.QuorumMutex as CoreMutex
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Function

/** The two views of [core]. */
@OptIn(InternalSignalboxApi::class)
internal class QuorumMutexViews(
    val core: CoreMutex,
    val calls: Calls,
) {
    val async: AsyncQuorumMutex = AsyncView(this)
    val blocking: QuorumMutex = BlockingView(this)

    /** What this thread holds through [QuorumMutex.withLock]. */
    private val heldHere = ThreadLocal<CorePermit>()

    private class AsyncView(
        private val views: QuorumMutexViews,
    ) : AsyncQuorumMutex {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun lock(): CompletableFuture<AsyncPermit> = calls.grant { core.lock() }

        override fun lock(timeout: Duration): CompletableFuture<AsyncPermit> =
            calls.given(timeout, "timeout").grant { core.lock(timeout.kotlin()) }

        override fun tryLock(): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant { core.tryLock() }

        override fun tryLock(timeout: Duration): CompletableFuture<Optional<AsyncPermit>> =
            calls.given(timeout, "timeout").maybeGrant { core.tryLock(timeout.kotlin()) }

        override fun <T> withLock(work: Function<in AsyncPermit, out CompletionStage<T>>): CompletableFuture<T> =
            calls.given(work, "work").future {
                val permit = core.lock()
                useUntilEndOf(permit) { work.apply(PermitViews(permit, calls).async) }
            }

        override fun isLocked(): CompletableFuture<Boolean> = calls.future { core.isLocked() }

        override fun owner(): CompletableFuture<Optional<QuorumSnapshot.Holder>> =
            calls.future { Optional.ofNullable(core.owner()).map { it.java() } }

        override fun snapshot(limit: Int): CompletableFuture<QuorumSnapshot> = calls.future { core.snapshot(limit).java() }

        override fun blocking(): QuorumMutex = views.blocking

        override fun toString(): String = core.toString()
    }

    private class BlockingView(
        private val views: QuorumMutexViews,
    ) : QuorumMutex {
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

        /** Held here it will not be free in any time. */
        override fun tryLock(timeout: Duration): Optional<Permit> {
            calls.given(timeout, "timeout")
            return if (isHeldHere()) Optional.empty() else calls.awaitMaybeGrant { core.tryLock(timeout.kotlin()) }
        }

        override fun <T, X : Exception> withLock(work: PermitCallable<T, X>): T {
            calls.given(work, "work")
            requireNotHeldHere()
            val permit = calls.block(CorePermit::discard) { core.lock() }
            val outer = views.heldHere.get()
            views.heldHere.set(permit)
            try {
                return calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) }
            } finally {
                if (outer == null) views.heldHere.remove() else views.heldHere.set(outer)
            }
        }

        override fun isLocked(): Boolean = calls.block { core.isLocked() }

        override fun owner(): Optional<QuorumSnapshot.Holder> = Optional.ofNullable(calls.block { core.owner() }).map { it.java() }

        override fun snapshot(limit: Int): QuorumSnapshot = calls.block { core.snapshot(limit).java() }

        override fun async(): AsyncQuorumMutex = views.async

        /** Waiting for a lock inside of its own work would never end. */
        private fun requireNotHeldHere() {
            check(!isHeldHere()) {
                "Mutex '${core.name}' is already locked by this thread through withLock. A mutex is not reentrant: pass on what the " +
                    "outer work holds, or lock in one place only."
            }
        }

        /** The work may have released it itself. */
        private fun isHeldHere() = views.heldHere.get().let { it != null && !it.isLost && it.isHeld }

        override fun toString(): String = core.toString()
    }
}
