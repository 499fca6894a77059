package io.signalbox.java.internal

import io.signalbox.Mutex as CoreMutex
import io.signalbox.Permit as CorePermit
import io.signalbox.Semaphore as CoreSemaphore
import io.signalbox.java.AcquireOptions
import kotlin.jvm.optionals.getOrNull
import kotlin.time.Duration

// What `AcquireOptions` ask for, in calls of the core.

private val AcquireOptions.limit: Duration? get() = timeout().getOrNull()?.kotlin()
private val AcquireOptions.hold: Duration? get() = maxHold().getOrNull()?.kotlin()
private val AcquireOptions.least: Duration? get() = minHold().kotlin().takeIf { it > Duration.ZERO }

internal suspend fun CoreSemaphore.acquire(options: AcquireOptions): CorePermit {
    val limit = options.limit
    val hold = options.hold
    val least = options.least
    return when {
        least != null -> acquire(options.permits(), limit, hold, least)
        hold != null -> acquire(options.permits(), limit, hold)
        limit != null -> acquire(options.permits(), limit)
        else -> acquire(options.permits())
    }
}

internal suspend fun CoreSemaphore.tryAcquire(options: AcquireOptions): CorePermit? {
    val limit = options.limit ?: Duration.ZERO
    val hold = options.hold
    val least = options.least
    return when {
        least != null -> tryAcquire(options.permits(), limit, hold, least)
        hold != null -> tryAcquire(options.permits(), limit, hold)
        else -> tryAcquire(options.permits(), limit)
    }
}

internal suspend fun CoreMutex.lock(options: AcquireOptions): CorePermit {
    requireOne(options)
    val limit = options.limit
    val hold = options.hold
    val least = options.least
    return when {
        least != null -> lock(limit, hold, least)
        hold != null -> lock(limit, hold)
        limit != null -> lock(limit)
        else -> lock()
    }
}

internal suspend fun CoreMutex.tryLock(options: AcquireOptions): CorePermit? {
    requireOne(options)
    val limit = options.limit ?: Duration.ZERO
    val hold = options.hold
    val least = options.least
    return when {
        least != null -> tryLock(limit, hold, least)
        hold != null -> tryLock(limit, hold)
        limit > Duration.ZERO -> tryLock(limit)
        else -> tryLock()
    }
}

private fun requireOne(options: AcquireOptions) =
    require(options.permits() == 1) { "permits of a mutex must be 1, but was ${options.permits()}." }
