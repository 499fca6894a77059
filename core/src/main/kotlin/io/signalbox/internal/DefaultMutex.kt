package io.signalbox.internal

import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.PermitState
import kotlin.coroutines.AbstractCoroutineContextElement
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlinx.coroutines.currentCoroutineContext

/** A mutex as a semaphore of one permit. */
internal class DefaultMutex(
    val semaphore: DefaultSemaphore,
) : Mutex {
    override val name: String get() = semaphore.name

    override suspend fun lock(): Permit {
        requireNotLockedHere()
        return semaphore.acquire()
    }

    override suspend fun lock(timeout: Duration): Permit {
        requireNotLockedHere()
        return semaphore.acquire(timeout = timeout)
    }

    override suspend fun tryLock(): Permit? = semaphore.tryAcquire()

    override suspend fun tryLock(timeout: Duration): Permit? {
        if (timeout > Duration.ZERO) requireNotLockedHere()
        return semaphore.tryAcquire(timeout = timeout)
    }

    override suspend fun isLocked(): Boolean = semaphore.isLocked()

    override suspend fun owner(): SemaphoreSnapshot.Holder? = semaphore.snapshot(limit = 1).holders.firstOrNull()

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot = semaphore.snapshot(limit)

    /** Waiting for a lock inside of its own block would never end. */
    private suspend fun requireNotLockedHere() {
        val held = currentCoroutineContext()[Locked]?.find(this)
        check(held == null || held.state != PermitState.HELD) {
            "Mutex '$name' is already locked by this coroutine, or one it is a child of, through withLock. A mutex is not reentrant: " +
                "pass on what the outer block holds, or lock in one place only."
        }
    }

    override fun toString(): String = "Mutex(name=$name)"
}

/** Which mutexes the coroutine is in a `withLock` block of: the innermost first. */
private class Locked(
    private val mutex: Mutex,
    private val permit: HeldPermit?,
    private val outer: Locked?,
) : AbstractCoroutineContextElement(Locked) {
    fun find(wanted: Mutex): HeldPermit? = if (mutex === wanted) permit else outer?.find(wanted)

    companion object Key : CoroutineContext.Key<Locked>
}

internal suspend fun lockedElement(
    mutex: Mutex,
    permit: Permit,
): CoroutineContext = Locked(mutex, permit as? HeldPermit, currentCoroutineContext()[Locked])
