package io.signalbox.internal.pool

import io.signalbox.internal.coordination.CoordinationSettings
import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.coordination.NanoClock
import kotlin.random.Random

/** The client's settings, clock and chance as its pools use them. */
internal class PoolPace(
    val settings: CoordinationSettings,
    private val clock: NanoClock,
    private val random: Random = Random.Default,
) {
    val leaseNanos: Long = settings.leaseMillis * NANOS

    /** How long the keys outlive the last client that uses them. */
    val retentionMillis: Long = maxOf(settings.retentionMillis, 3 * settings.leaseMillis)

    fun now(): Long = clock.nanos()

    fun heartbeatNanos(): Long = jittered(leaseNanos / 3, 0.8, 1.2)

    fun backoffNanos(attempt: Int): Long = jittered(minOf(leaseNanos / 12, 10 * NANOS shl minOf(attempt, 10)), 0.5, 1.0)

    fun jittered(
        nanos: Long,
        from: Double,
        until: Double,
    ): Long = (nanos * random.nextDouble(from, until)).toLong()
}
