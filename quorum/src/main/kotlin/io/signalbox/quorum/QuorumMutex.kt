package io.signalbox.quorum

import io.signalbox.AcquireTimeoutException
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.internal.lockedElement
import io.signalbox.use
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.withContext

/**
 * A lock that a majority of independent masters keeps: a [QuorumSemaphore] of one permit. Made by [SignalboxQuorum.mutex]. Its fencing tokens are
 * strictly growing from holder to holder.
 *
 * Not reentrant: a coroutine that asks again for what it holds through [withLock] gets an error instead of waiting for itself. Safe to use from any
 * thread and coroutine.
 */
public interface QuorumMutex {
    public val name: String

    /**
     * Suspends until the lock is held. As [QuorumSemaphore.acquire].
     *
     * @return the lock as held, to be given back by [Permit.release].
     * @throws IllegalStateException if the calling coroutine, or one it is a child of, holds it through [withLock].
     * @throws AcquireTimeoutException if [QuorumMutexSettings.lockTimeout] passed first.
     */
    public suspend fun lock(): Permit

    /**
     * As [lock], for at most [timeout]: zero tries once, infinite waits for ever.
     *
     * @throws AcquireTimeoutException if it was not granted in time.
     */
    public suspend fun lock(timeout: Duration): Permit

    /** Takes the lock if it is free, else returns `null`. */
    public suspend fun tryLock(): Permit?

    /**
     * As [lock] with a time limit, but returns `null` if it was not granted in time; at once inside of a [withLock] block of this mutex, where it
     * will not be free in any time.
     */
    public suspend fun tryLock(timeout: Duration): Permit?

    /** Whether somebody holds it, or waits for it, or no majority votes. A look: it may have changed at once. */
    public suspend fun isLocked(): Boolean

    /** Who holds it, or `null`: client, label, fencing token, age, remaining lease. */
    public suspend fun owner(): QuorumSnapshot.Holder?

    /** Who holds it, how many wait (at most [limit], 1 to 10 000), and how the masters are. */
    public suspend fun snapshot(limit: Int = 100): QuorumSnapshot
}

/**
 * Runs [block] while holding the lock, and gives it back on every path without waiting for the masters; [QuorumSemaphore.withPermit] of a mutex.
 *
 * @throws IllegalStateException if the calling coroutine, or one it is a child of, is in such a block of the same mutex already.
 * @throws LeaseLostException if the lock was lost before the block ended, whatever the block made of it.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND") // Once, in a scope that ends before this function, or it throws.
public suspend fun <T> QuorumMutex.withLock(block: suspend CoroutineScope.(Permit) -> T): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return lock().use { permit ->
        withContext(lockedElement(this@withLock, permit)) { block(permit) }
    }
}
