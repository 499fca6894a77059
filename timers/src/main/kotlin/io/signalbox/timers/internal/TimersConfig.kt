package io.signalbox.timers.internal

import io.signalbox.internal.coordination.roundUp
import io.signalbox.timers.TimersSettings
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours

/** The settings of a service as they were when it was made, in the units that are used. */
internal class TimersConfig(
    settings: TimersSettings<*>,
    inMemory: Boolean,
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
    val mostDead: Int = settings.deadTimersPerTopic.let { if (it == Int.MAX_VALUE) 0 else it }
    val deadMillis: Long = settings.deadTimersFor.let { if (it.isInfinite()) 0 else roundUp(it) }

    /** In memory no wake-up is ever lost, and no worker dies alone. */
    private val safetyCheckMillis = roundUp(if (inMemory) maxOf(settings.safetyCheck, 1.hours) else settings.safetyCheck)
    private val jitter = settings.safetyCheckJitter
    val leastHeartbeatNanos: Long = (safetyCheckMillis * jitter.start).toLong() * NANOS / 2

    fun heartbeatMillis(): Long =
        (safetyCheckMillis * (jitter.start + (jitter.endInclusive - jitter.start) * Random.nextDouble())).toLong()

    private companion object {
        const val NANOS = 1_000_000L
    }
}
