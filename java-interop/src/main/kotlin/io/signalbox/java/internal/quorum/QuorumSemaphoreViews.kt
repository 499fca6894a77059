package io.signalbox.java.internal.quorum

import io.signalbox.Permit as CorePermit
import io.signalbox.java.AsyncPermit
import io.signalbox.java.Permit
import io.signalbox.java.PermitCallable
import io.signalbox.java.internal.Calls
import io.signalbox.java.internal.PermitViews
import io.signalbox.java.internal.awaitGrant
import io.signalbox.java.internal.awaitMaybeGrant
import io.signalbox.java.internal.discard
import io.signalbox.java.internal.grant
import io.signalbox.java.internal.java
import io.signalbox.java.internal.kotlin
import io.signalbox.java.internal.maybeGrant
import io.signalbox.java.internal.runWith
import io.signalbox.java.internal.useUntilEndOf
import io.signalbox.java.quorum.AsyncQuorumSemaphore
import io.signalbox.java.quorum.QuorumSemaphore
import io.signalbox.java.quorum.QuorumSnapshot
import io.signalbox.quorum.QuorumSemaphore as CoreSemaphore
import io.signalbox.quorum.QuorumSnapshot as CoreSnapshot
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Function

/** The two views of [core]. */
internal class QuorumSemaphoreViews(
    val core: CoreSemaphore,
    val calls: Calls,
) {
    val async: AsyncQuorumSemaphore = AsyncView(this)
    val blocking: QuorumSemaphore = BlockingView(this)

    private class AsyncView(
        private val views: QuorumSemaphoreViews,
    ) : AsyncQuorumSemaphore {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun acquire(): CompletableFuture<AsyncPermit> = calls.grant { core.acquire() }

        override fun acquire(timeout: Duration): CompletableFuture<AsyncPermit> =
            calls.given(timeout, "timeout").grant { core.acquire(timeout.kotlin()) }

        override fun tryAcquire(): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant { core.tryAcquire() }

        override fun tryAcquire(timeout: Duration): CompletableFuture<Optional<AsyncPermit>> =
            calls.given(timeout, "timeout").maybeGrant { core.tryAcquire(timeout.kotlin()) }

        override fun <T> withPermit(work: Function<in AsyncPermit, out CompletionStage<T>>): CompletableFuture<T> =
            calls.given(work, "work").future {
                val permit = core.acquire()
                useUntilEndOf(permit) { work.apply(PermitViews(permit, calls).async) }
            }

        override fun permits(): CompletableFuture<Int> = calls.future { core.permits() }

        override fun availablePermits(): CompletableFuture<Int> = calls.future { core.availablePermits() }

        override fun isLocked(): CompletableFuture<Boolean> = calls.future { core.isLocked() }

        override fun snapshot(limit: Int): CompletableFuture<QuorumSnapshot> = calls.future { core.snapshot(limit).java() }

        override fun resize(permits: Int): CompletableFuture<Void?> =
            calls.future {
                core.resize(permits)
                null
            }

        override fun blocking(): QuorumSemaphore = views.blocking

        override fun toString(): String = core.toString()
    }

    private class BlockingView(
        private val views: QuorumSemaphoreViews,
    ) : QuorumSemaphore {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun acquire(): Permit = calls.awaitGrant { core.acquire() }

        override fun acquire(timeout: Duration): Permit = calls.given(timeout, "timeout").awaitGrant { core.acquire(timeout.kotlin()) }

        override fun tryAcquire(): Optional<Permit> = calls.awaitMaybeGrant { core.tryAcquire() }

        override fun tryAcquire(timeout: Duration): Optional<Permit> =
            calls.given(timeout, "timeout").awaitMaybeGrant { core.tryAcquire(timeout.kotlin()) }

        override fun <T, X : Exception> withPermit(work: PermitCallable<T, X>): T {
            val permit = calls.given(work, "work").block(CorePermit::discard) { core.acquire() }
            return calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) }
        }

        override fun permits(): Int = calls.block { core.permits() }

        override fun availablePermits(): Int = calls.block { core.availablePermits() }

        override fun isLocked(): Boolean = calls.block { core.isLocked() }

        override fun snapshot(limit: Int): QuorumSnapshot = calls.block { core.snapshot(limit).java() }

        override fun resize(permits: Int) = calls.block { core.resize(permits) }

        override fun async(): AsyncQuorumSemaphore = views.async

        override fun toString(): String = core.toString()
    }
}

internal fun CoreSnapshot.java(): QuorumSnapshot =
    QuorumSnapshot(
        name,
        declaredPermits,
        permits,
        waiting,
        holders.map { it.java() },
        masters.map { QuorumSnapshot.Master(it.address, it.isReachable, it.quarantine.java()) },
    )

internal fun CoreSnapshot.Holder.java(): QuorumSnapshot.Holder =
    QuorumSnapshot.Holder(client, label, fencingToken, age.java(), remainingLease.java())
