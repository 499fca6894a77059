package io.signalbox

import io.signalbox.internal.heldForReentry
import io.signalbox.internal.runLocked
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope

/**
 * A lock shared by processes: a [Semaphore] of one permit, with the same order, leases and fencing tokens. Made by
 * [Signalbox.mutex].
 *
 * Not reentrant: a coroutine that asks again for what it holds through [withLock] gets an error instead of waiting for itself; but see [withReentrantLock]. A
 * mutex and a semaphore of the same name have nothing to do with each other. Safe to use from any thread and coroutine.
 */
public interface Mutex {
    public val name: String

    /**
     * Suspends until the lock is held. As [Semaphore.acquire] with one permit.
     *
     * @return the lock as held, to be given back by [Permit.release].
     * @throws IllegalStateException if the calling coroutine, or one it is a child of, holds it through [withLock].
     * @throws AcquireTimeoutException if [MutexSettings.lockTimeout] passed first.
     */
    public suspend fun lock(): Permit

    /**
     * As [lock], for at most [timeout]: zero tries once, infinite waits for ever.
     *
     * @throws AcquireTimeoutException if it was not granted in time.
     */
    public suspend fun lock(timeout: Duration): Permit

    /** Takes the lock if it is free and nobody waits for it, else returns `null` after one round trip. */
    public suspend fun tryLock(): Permit?

    /**
     * As [lock] with a time limit, but returns `null` if it was not granted in time; at once inside of a [withLock] block of this mutex, where
     * it will not be free in any time.
     */
    public suspend fun tryLock(timeout: Duration): Permit?

    /**
     * [lock] that may be held for at most [maxHold], whatever [MutexSettings.maxHold] says: see [Semaphore.acquire].
     *
     * @param timeout `null` (the default) for [MutexSettings.lockTimeout].
     */
    public suspend fun lock(
        timeout: Duration? = null,
        maxHold: Duration,
    ): Permit

    /** [tryLock] that may be held for at most [maxHold]. By default it does not wait. */
    public suspend fun tryLock(
        timeout: Duration = Duration.ZERO,
        maxHold: Duration,
    ): Permit?

    /**
     * [lock] that keeps others out for at least [minHold] from the grant on, also if it is given back sooner and its client ends: see
     * [Semaphore.acquire].
     *
     * @param timeout `null` (the default) for [MutexSettings.lockTimeout].
     * @param maxHold `null` (the default) for [MutexSettings.maxHold]; with a minimum, infinite is 365 days.
     * @param minHold zero, for none, to [maxHold], by the server's clock.
     */
    public suspend fun lock(
        timeout: Duration? = null,
        maxHold: Duration? = null,
        minHold: Duration,
    ): Permit

    /** [tryLock] that keeps others out for at least [minHold]; see [lock]. By default it does not wait. */
    public suspend fun tryLock(
        timeout: Duration = Duration.ZERO,
        maxHold: Duration? = null,
        minHold: Duration,
    ): Permit?

    /** Whether somebody holds it, or waits for it. A look: it may have changed at once. */
    public suspend fun isLocked(): Boolean

    /** Who holds it, or has held it and keeps it from others ([SemaphoreSnapshot.Holder.isKept]), or `null`: client, label, fencing token, age, remaining lease. */
    public suspend fun owner(): SemaphoreSnapshot.Holder?

    /** Takes the lock from whoever holds it under [fencingToken], see [Semaphore.revoke]. */
    public suspend fun revoke(
        fencingToken: Long,
        patience: Duration? = null,
    ): Boolean

    /** Ends the mutex for everybody now, see [Semaphore.delete]. */
    public suspend fun delete(): Boolean

    /** Who holds it, and at most [limit] of those who wait (1 to 10 000), in their order. */
    public suspend fun snapshot(limit: Int = 100): SemaphoreSnapshot
}

/**
 * Runs [block] while holding the lock, and gives it back on every path without waiting for the server; [Semaphore.withPermit] of a mutex. Use
 * [lock] and [Permit.release] when order between processes matters.
 *
 * @throws IllegalStateException if the calling coroutine, or one it is a child of, is in such a block of the same mutex already.
 * @throws LeaseLostException if the lock was lost before the block ended, whatever the block made of it.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND") // Once, in a scope that ends before this function, or it throws.
public suspend fun <T> Mutex.withLock(block: suspend CoroutineScope.(Permit) -> T): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return lock().runLocked(this, isReentrant = false, block)
}

/**
 * [withLock] with a time limit for the lock, not for the block.
 *
 * @param timeout zero tries once, infinite waits for ever.
 * @throws AcquireTimeoutException if it was not granted in time; [block] was not called. [tryWithLock] returns that instead.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.withLock(
    timeout: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return lock(timeout).runLocked(this, isReentrant = false, block)
}

/**
 * [withLock] that may be held for at most [maxHold]: at that moment it is lost, and the block is cancelled.
 *
 * @param timeout of the lock; `null` (the default) for [MutexSettings.lockTimeout].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.withLock(
    timeout: Duration? = null,
    maxHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return lock(timeout, maxHold).runLocked(this, isReentrant = false, block)
}

/**
 * [withLock] that keeps others out for at least [minHold], however soon [block] ends; see [Semaphore.acquire]. It returns with the block.
 *
 * ```
 * mutex.withLock(minHold = 5.minutes) { sendReport() }
 * ```
 *
 * @param timeout of the lock; `null` (the default) for [MutexSettings.lockTimeout].
 * @param maxHold `null` (the default) for [MutexSettings.maxHold]; with a minimum, infinite is 365 days.
 * @param minHold zero, for none, to [maxHold].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.withLock(
    timeout: Duration? = null,
    maxHold: Duration? = null,
    minHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return lock(timeout, maxHold, minHold).runLocked(this, isReentrant = false, block)
}

/**
 * [withLock] that says by its result whether the lock was granted within [timeout]; [Semaphore.tryWithPermit] of a mutex. Inside of a block of the same mutex it
 * never is.
 *
 * @param timeout of the lock. By default it does not wait.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.tryWithLock(
    timeout: Duration = Duration.ZERO,
    block: suspend CoroutineScope.(Permit) -> T,
): Attempt<T> {
    contract { callsInPlace(block, InvocationKind.AT_MOST_ONCE) }
    val permit = tryLock(timeout) ?: return Attempt.NotInTime
    return Attempt.Ran(permit.runLocked(this, isReentrant = false, block))
}

/**
 * [tryWithLock] that keeps others out for at least [minHold], however soon [block] ends: who comes in that time skips the job. See [Semaphore.acquire].
 *
 * @param timeout of the lock. By default it does not wait.
 * @param maxHold `null` (the default) for [MutexSettings.maxHold]; with a minimum, infinite is 365 days.
 * @param minHold zero, for none, to [maxHold].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.tryWithLock(
    timeout: Duration = Duration.ZERO,
    maxHold: Duration? = null,
    minHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): Attempt<T> {
    contract { callsInPlace(block, InvocationKind.AT_MOST_ONCE) }
    val permit = tryLock(timeout, maxHold, minHold) ?: return Attempt.NotInTime
    return Attempt.Ran(permit.runLocked(this, isReentrant = false, block))
}

/**
 * [withLock] that may be called again inside of its own block, by the same coroutine: the inner block runs at once under the outer one's permit, and gives
 * nothing back when it ends. Both have to be blocks of this function; inside of [withLock] it fails as that does.
 *
 * A coroutine that was launched inside of the block runs beside it, so it does not hold the lock: this fails there. `coroutineScope`, `withContext` and
 * `withTimeout` are the same coroutine. What another process, or another client, holds is waited for as ever.
 *
 * @throws IllegalStateException if the lock is held by a coroutine that the caller is a child of, or by a block of [withLock] around.
 * @throws LeaseLostException from the outermost block, if the lock was lost before it ended.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Mutex.withReentrantLock(block: suspend CoroutineScope.(Permit) -> T): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    val held = heldForReentry(this) ?: return lock().runLocked(this, isReentrant = true, block)
    return coroutineScope { block(held) }
}
