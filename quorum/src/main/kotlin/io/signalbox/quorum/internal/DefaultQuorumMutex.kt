package io.signalbox.quorum.internal

import io.signalbox.Permit
import io.signalbox.internal.coordination.requireTimeout
import io.signalbox.internal.isLockedHere
import io.signalbox.quorum.QuorumMutex
import io.signalbox.quorum.QuorumSnapshot
import kotlin.time.Duration

/** A mutex as a semaphore of one permit. */
internal class DefaultQuorumMutex(
    private val semaphore: DefaultQuorumSemaphore,
) : QuorumMutex,
    Contention by semaphore {
    override val name: String get() = semaphore.name

    override suspend fun lock(): Permit {
        requireNotLockedHere()
        return semaphore.acquire()
    }

    override suspend fun lock(timeout: Duration): Permit {
        requireNotLockedHere()
        return semaphore.acquire(timeout)
    }

    override suspend fun tryLock(): Permit? = semaphore.tryAcquire()

    override suspend fun tryLock(timeout: Duration): Permit? {
        requireTimeout(timeout)
        return if (isLockedHere(this)) null else semaphore.tryAcquire(timeout)
    }

    override suspend fun isLocked(): Boolean = semaphore.isLocked()

    override suspend fun owner(): QuorumSnapshot.Holder? = semaphore.snapshot(1).holders.firstOrNull()

    override suspend fun snapshot(limit: Int): QuorumSnapshot = semaphore.snapshot(limit)

    private suspend fun requireNotLockedHere() {
        check(!isLockedHere(this)) {
            "Mutex '$name' is already locked by this coroutine, or one it is a child of, through withLock. A mutex is not " +
                "reentrant: pass on " +
                "what the outer block holds, or lock in one place only."
        }
    }

    override fun toString(): String = "QuorumMutex(name=$name)"
}
