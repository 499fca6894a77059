package io.signalbox.chaos.client

import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.withLock
import io.signalbox.withPermit
import kotlin.time.Duration

/** How a [Prize] is taken: a semaphore and a mutex have the same ways under different names. */
internal sealed interface Grip {
    suspend fun acquire(permits: Int): Permit

    suspend fun tryAcquire(permits: Int): Permit?

    suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit?

    suspend fun within(
        permits: Int,
        block: suspend (Permit) -> Unit,
    )

    suspend fun resize(permits: Int)

    class On(
        private val semaphore: Semaphore,
    ) : Grip {
        override suspend fun acquire(permits: Int) = semaphore.acquire(permits)

        override suspend fun tryAcquire(permits: Int) = semaphore.tryAcquire(permits)

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ) = semaphore.tryAcquire(permits, timeout)

        override suspend fun within(
            permits: Int,
            block: suspend (Permit) -> Unit,
        ) = semaphore.withPermit(permits) { block(it) }

        override suspend fun resize(permits: Int) = semaphore.resize(permits)
    }

    class Of(
        private val mutex: Mutex,
    ) : Grip {
        override suspend fun acquire(permits: Int) = mutex.lock()

        override suspend fun tryAcquire(permits: Int) = mutex.tryLock()

        override suspend fun tryAcquire(
            permits: Int,
            timeout: Duration,
        ) = mutex.tryLock(timeout)

        override suspend fun within(
            permits: Int,
            block: suspend (Permit) -> Unit,
        ) = mutex.withLock { block(it) }

        override suspend fun resize(permits: Int) = error("A mutex has one permit")
    }
}
