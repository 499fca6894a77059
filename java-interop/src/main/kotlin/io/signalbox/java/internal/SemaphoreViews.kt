@file:OptIn(InternalSignalboxApi::class)

package io.signalbox.java.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Permit as CorePermit
import io.signalbox.Semaphore as CoreSemaphore
import io.signalbox.internal.giveBackUnseen
import io.signalbox.java.AcquireOptions
import io.signalbox.java.AsyncPermit
import io.signalbox.java.AsyncSemaphore
import io.signalbox.java.Attempt
import io.signalbox.java.Permit
import io.signalbox.java.PermitCallable
import io.signalbox.java.Semaphore
import io.signalbox.java.SemaphoreSnapshot
import java.time.Duration
import java.util.Optional
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CompletionStage
import java.util.function.Function

/** The two views of [core]. */
internal class SemaphoreViews(
    val core: CoreSemaphore,
    val calls: Calls,
) {
    val async: AsyncSemaphore = AsyncView(this)
    val blocking: Semaphore = BlockingView(this)

    private class AsyncView(
        private val views: SemaphoreViews,
    ) : AsyncSemaphore {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun acquire(permits: Int): CompletableFuture<AsyncPermit> = calls.grant { core.acquire(permits) }

        override fun acquire(
            permits: Int,
            timeout: Duration,
        ): CompletableFuture<AsyncPermit> = calls.given(timeout, "timeout").grant { core.acquire(permits, timeout.kotlin()) }

        override fun tryAcquire(permits: Int): CompletableFuture<Optional<AsyncPermit>> = calls.maybeGrant { core.tryAcquire(permits) }

        override fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ): CompletableFuture<Optional<AsyncPermit>> = calls.given(timeout, "timeout").maybeGrant {
            core.tryAcquire(permits, timeout.kotlin())
        }

        override fun acquire(options: AcquireOptions): CompletableFuture<AsyncPermit> = calls.given(options, "options").grant {
            core.acquire(options)
        }

        override fun tryAcquire(options: AcquireOptions): CompletableFuture<Optional<AsyncPermit>> =
            calls.given(options, "options").maybeGrant { core.tryAcquire(options) }

        override fun <T> withPermit(
            permits: Int,
            work: Function<in AsyncPermit, out CompletionStage<T>>,
        ): CompletableFuture<T> = calls.runFuture({ core.acquire(permits) }, work)

        override fun <T> withPermit(
            options: AcquireOptions,
            work: Function<in AsyncPermit, out CompletionStage<T>>,
        ): CompletableFuture<T> = calls.given(options, "options").runFuture({ core.acquire(options) }, work)

        override fun <T> tryWithPermit(
            options: AcquireOptions,
            work: Function<in AsyncPermit, out CompletionStage<T>>,
        ): CompletableFuture<Attempt<T>> = calls.given(options, "options").tryFuture({ core.tryAcquire(options) }, work)

        override fun permits(): CompletableFuture<Int> = calls.future { core.permits() }

        override fun availablePermits(): CompletableFuture<Int> = calls.future { core.availablePermits() }

        override fun isLocked(): CompletableFuture<Boolean> = calls.future { core.isLocked() }

        override fun snapshot(limit: Int): CompletableFuture<SemaphoreSnapshot> = calls.future { core.snapshot(limit).java() }

        override fun resize(permits: Int): CompletableFuture<Void?> =
            calls.future {
                core.resize(permits)
                null
            }

        override fun redeclare(permits: Int): CompletableFuture<Void?> =
            calls.future {
                core.redeclare(permits)
                null
            }

        override fun revoke(fencingToken: Long): CompletableFuture<Boolean> = calls.future { core.revoke(fencingToken) }

        override fun revoke(
            fencingToken: Long,
            patience: Duration,
        ): CompletableFuture<Boolean> = calls.given(patience, "patience").future { core.revoke(fencingToken, patience.kotlin()) }

        override fun delete(): CompletableFuture<Boolean> = calls.future { core.delete() }

        override fun addPermits(permits: Int): CompletableFuture<Int> = calls.future { core.addPermits(permits) }

        override fun blocking(): Semaphore = views.blocking

        override fun toString(): String = core.toString()
    }

    class BlockingView(
        val views: SemaphoreViews,
    ) : Semaphore {
        private val core = views.core
        private val calls = views.calls

        override fun name(): String = core.name

        override fun acquire(permits: Int): Permit = calls.awaitGrant { core.acquire(permits) }

        override fun acquire(
            permits: Int,
            timeout: Duration,
        ): Permit = calls.given(timeout, "timeout").awaitGrant { core.acquire(permits, timeout.kotlin()) }

        override fun tryAcquire(permits: Int): Optional<Permit> = calls.awaitMaybeGrant { core.tryAcquire(permits) }

        override fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ): Optional<Permit> = calls.given(timeout, "timeout").awaitMaybeGrant { core.tryAcquire(permits, timeout.kotlin()) }

        override fun acquire(options: AcquireOptions): Permit = calls.given(options, "options").awaitGrant { core.acquire(options) }

        override fun tryAcquire(options: AcquireOptions): Optional<Permit> = calls.given(options, "options").awaitMaybeGrant {
            core.tryAcquire(options)
        }

        override fun <T, X : Exception> withPermit(
            options: AcquireOptions,
            work: PermitCallable<T, X>,
        ): T {
            val permit = calls.given(options, "options").given(work, "work").block(CorePermit::discard) { core.acquire(options) }
            return calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) }
        }

        override fun <T, X : Exception> tryWithPermit(
            options: AcquireOptions,
            work: PermitCallable<T, X>,
        ): Attempt<T> {
            val permit =
                calls.given(options, "options").given(work, "work").block<CorePermit?>({ it?.discard() }) { core.tryAcquire(options) }
                    ?: return Attempt.notInTime()
            return Attempt.ran(calls.runWith(permit) { work.call(PermitViews(permit, calls).blocking) })
        }

        override fun permits(): Int = calls.block { core.permits() }

        override fun availablePermits(): Int = calls.block { core.availablePermits() }

        override fun isLocked(): Boolean = calls.block { core.isLocked() }

        override fun snapshot(limit: Int): SemaphoreSnapshot = calls.block { core.snapshot(limit).java() }

        override fun resize(permits: Int) = calls.block { core.resize(permits) }

        override fun redeclare(permits: Int) = calls.block { core.redeclare(permits) }

        override fun revoke(fencingToken: Long): Boolean = calls.block { core.revoke(fencingToken) }

        override fun revoke(
            fencingToken: Long,
            patience: Duration,
        ): Boolean = calls.given(patience, "patience").block { core.revoke(fencingToken, patience.kotlin()) }

        override fun delete(): Boolean = calls.block { core.delete() }

        override fun addPermits(permits: Int): Int = calls.block { core.addPermits(permits) }

        override fun async(): AsyncSemaphore = views.async

        override fun toString(): String = core.toString()
    }
}

internal fun Semaphore.core(): CoreSemaphore =
    requireNotNull(this as? SemaphoreViews.BlockingView) {
        "A semaphore must be made by a client of this library, but was $this."
    }.views.core

internal suspend fun CorePermit.discard() {
    giveBackUnseen()
}

/** A permit that arrives at a future which is done already is given back. */
internal fun Calls.grant(request: suspend () -> CorePermit): CompletableFuture<AsyncPermit> =
    future({ it.discard() }) { PermitViews(request(), this).async }

internal fun Calls.maybeGrant(request: suspend () -> CorePermit?): CompletableFuture<Optional<AsyncPermit>> =
    future({ it.ifPresent(AsyncPermit::discard) }) { Optional.ofNullable(request()).map { PermitViews(it, this).async } }

internal fun Calls.awaitGrant(request: suspend () -> CorePermit): Permit =
    PermitViews(block(CorePermit::discard, request = request), this).blocking

internal fun Calls.awaitMaybeGrant(request: suspend () -> CorePermit?): Optional<Permit> =
    Optional.ofNullable(block({ it?.discard() }, request = request)).map { PermitViews(it, this).blocking }

/** Holds what [acquire] gives until the stage of [work] has ended. */
internal fun <T> Calls.runFuture(
    acquire: suspend () -> CorePermit,
    work: Function<in AsyncPermit, out CompletionStage<T>>,
): CompletableFuture<T> =
    given(work, "work").future {
        val permit = acquire()
        useUntilEndOf(permit) { work.apply(PermitViews(permit, this).async) }
    }

/** As [runFuture], if there is anything in time. */
internal fun <T> Calls.tryFuture(
    acquire: suspend () -> CorePermit?,
    work: Function<in AsyncPermit, out CompletionStage<T>>,
): CompletableFuture<Attempt<T>> =
    given(work, "work").future {
        val permit = acquire() ?: return@future Attempt.notInTime()
        Attempt.ran(useUntilEndOf(permit) { work.apply(PermitViews(permit, this).async) })
    }
