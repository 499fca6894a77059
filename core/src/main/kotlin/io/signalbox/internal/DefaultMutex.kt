package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.requireTimeout
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext

/** A mutex as a semaphore of one permit. */
internal class DefaultMutex(
    val semaphore: DefaultSemaphore,
) : Mutex,
    Viewed {
    @Volatile
    override var views: Any? = null

    override val name: String get() = semaphore.name

    override suspend fun lock(): Permit {
        requireNotLockedHere()
        return semaphore.acquire()
    }

    override suspend fun lock(timeout: Duration): Permit {
        requireNotLockedHere()
        return semaphore.acquire(timeout = timeout)
    }

    override suspend fun lock(
        timeout: Duration?,
        maxHold: Duration,
    ): Permit {
        requireNotLockedHere()
        return semaphore.acquire(permits = 1, timeout, maxHold)
    }

    override suspend fun tryLock(
        timeout: Duration,
        maxHold: Duration,
    ): Permit? {
        requireTimeout(timeout)
        return if (timeout > Duration.ZERO && isLockedHere(this)) null else semaphore.tryAcquire(permits = 1, timeout, maxHold)
    }

    override suspend fun lock(
        timeout: Duration?,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit {
        requireNotLockedHere()
        return semaphore.acquire(permits = 1, timeout, maxHold, minHold)
    }

    override suspend fun tryLock(
        timeout: Duration,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit? {
        requireTimeout(timeout)
        return if (timeout > Duration.ZERO && isLockedHere(this)) null else semaphore.tryAcquire(permits = 1, timeout, maxHold, minHold)
    }

    override suspend fun tryLock(): Permit? = semaphore.tryAcquire()

    /** Inside of its own block it will not be free in any time. */
    override suspend fun tryLock(timeout: Duration): Permit? {
        requireTimeout(timeout)
        return if (isLockedHere(this)) null else semaphore.tryAcquire(timeout = timeout)
    }

    override suspend fun isLocked(): Boolean = semaphore.isLocked()

    override suspend fun owner(): SemaphoreSnapshot.Holder? = semaphore.snapshot(limit = 1).holders.firstOrNull()

    override suspend fun revoke(
        fencingToken: Long,
        patience: Duration?,
    ): Boolean = semaphore.revoke(fencingToken, patience)

    override suspend fun delete(): Boolean = semaphore.delete()

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot = semaphore.snapshot(limit)

    /** Waiting for a lock inside of its own block would never end. */
    private suspend fun requireNotLockedHere() {
        check(!isLockedHere(this)) {
            "Mutex '$name' is already locked by this coroutine, or one it is a child of, through withLock. A mutex is not reentrant: " +
                "pass on what the outer block holds, lock in one place only, or use withReentrantLock in both."
        }
    }

    override fun toString(): String = "Mutex(name=$name)"
}
