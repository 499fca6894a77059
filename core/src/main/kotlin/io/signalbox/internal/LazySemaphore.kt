package io.signalbox.internal

import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SemaphoreSnapshot
import kotlin.time.Duration

/** A handle of what has yet to be joined by a call that suspends: every use has it joined first, if it is not. */
internal class LazySemaphore(
    override val name: String,
    private val join: suspend () -> Semaphore,
) : Semaphore,
    Viewed {
    @Volatile
    override var views: Any? = null

    @Volatile
    private var known: Semaphore? = null

    private suspend fun joined(): Semaphore = known ?: join().also { known = it }

    override suspend fun acquire(permits: Int): Permit = joined().acquire(permits)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration,
    ): Permit = joined().acquire(permits, timeout)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration?,
        maxHold: Duration,
    ): Permit = joined().acquire(permits, timeout, maxHold)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
        maxHold: Duration,
    ): Permit? = joined().tryAcquire(permits, timeout, maxHold)

    override suspend fun acquire(
        permits: Int,
        timeout: Duration?,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit = joined().acquire(permits, timeout, maxHold, minHold)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
        maxHold: Duration?,
        minHold: Duration,
    ): Permit? = joined().tryAcquire(permits, timeout, maxHold, minHold)

    override suspend fun tryAcquire(permits: Int): Permit? = joined().tryAcquire(permits)

    override suspend fun tryAcquire(
        permits: Int,
        timeout: Duration,
    ): Permit? = joined().tryAcquire(permits, timeout)

    override suspend fun permits(): Int = joined().permits()

    override suspend fun availablePermits(): Int = joined().availablePermits()

    override suspend fun isLocked(): Boolean = joined().isLocked()

    override suspend fun snapshot(limit: Int): SemaphoreSnapshot = joined().snapshot(limit)

    override suspend fun resize(permits: Int) = joined().resize(permits)

    override suspend fun redeclare(permits: Int) = joined().redeclare(permits)

    override suspend fun revoke(
        fencingToken: Long,
        patience: Duration?,
    ): Boolean = joined().revoke(fencingToken, patience)

    override suspend fun delete(): Boolean = joined().delete()

    override suspend fun addPermits(permits: Int): Int = joined().addPermits(permits)

    override fun toString(): String = "Semaphore(name=$name)"
}
