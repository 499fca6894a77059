package io.signalbox.timers.internal

import io.signalbox.internal.coordination.roundUp
import io.signalbox.timers.TimersSettings
import kotlin.random.Random
import kotlin.time.Duration

/** The settings of a service as they were when it was made, in the units that are used. */
internal class TimersConfig(
    settings: TimersSettings<*>,
) {
    val name: String = settings.name
    val concurrency: Int = settings.concurrency
    val leaseMillis: Long = roundUp(settings.takeoverAfter)
    val leaseNanos: Long = leaseMillis * NANOS
    val boundMillis: Long = leaseMillis
    val drainTimeout: Duration = settings.drainTimeout
    val maxPayloadBytes: Int = settings.maxPayloadBytes
    val shards: Int = settings.shards
    val previousShards: Int? = settings.previousShards
    val timelineKey: String = settings.timelineKey
    val payloadsKey: String = settings.payloadsKey
    private val safetyCheckMillis = roundUp(settings.safetyCheck)
    private val jitter = settings.safetyCheckJitter
    val leastHeartbeatNanos: Long = (safetyCheckMillis * jitter.start).toLong() * NANOS / 2

    fun heartbeatMillis(): Long =
        (safetyCheckMillis * (jitter.start + (jitter.endInclusive - jitter.start) * Random.nextDouble())).toLong()

    private companion object {
        const val NANOS = 1_000_000L
    }
}
