package io.signalbox

import io.signalbox.internal.lockedElement
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext

/**
 * A lock shared by processes: a [Semaphore] of one permit, with the same order, leases and fencing tokens. Made by
 * [Signalbox.mutex].
 *
 * Not reentrant: a coroutine that asks again for what it holds through [withLock] gets an error instead of waiting for itself. A
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

    /** As [lock] with a time limit, but returns `null` if it was not granted in time. */
    public suspend fun tryLock(timeout: Duration): Permit?

    /** Whether somebody holds it, or waits for it. A look: it may have changed at once. */
    public suspend fun isLocked(): Boolean

    /** Who holds it, or `null`: client, label, fencing token, age, remaining lease. */
    public suspend fun owner(): SemaphoreSnapshot.Holder?

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
    return lock().use { permit ->
        withContext(lockedElement(this@withLock, permit)) { block(permit) }
    }
}
