package io.signalbox.internal.coordination

import io.signalbox.InternalSignalboxApi
import io.signalbox.internal.ledger.Declared
import kotlin.random.Random

/** A monotonic clock in nanoseconds; this process's own, never compared with another's. */
@InternalSignalboxApi
public fun interface NanoClock {
    public fun nanos(): Long
}

/** The client's settings as the coordinator uses them, and the figures that follow from the lease. */
@InternalSignalboxApi
public class CoordinationSettings internal constructor(
    public val label: String,
    public val leaseMillis: Long,
    public val retentionMillis: Long,
    public val storeTimeoutMillis: Long,
) {
    private val leaseNanos = leaseMillis * NANOS

    /** The server renews a session when so much of its lease has passed. */
    internal val renewalMillis: Long = (leaseMillis + 15) / 16

    /** The server renews in steps of 1/16 lease; another 1/16 covers clocks that run at different speeds and a late timer. */
    public val usableNanos: Long = leaseNanos - leaseNanos / 8

    /** An unanswered exchange is repeated after this. */
    public val patienceNanos: Long = leaseNanos / 6

    public val storeTimeoutNanos: Long = storeTimeoutMillis * NANOS

    /** How often a busy semaphore is looked after. */
    public val tickNanos: Long = minOf(leaseNanos / 12, storeTimeoutNanos / 2)

    /** How often an idle handle renews the retention of the keys. */
    public val refreshNanos: Long = maxOf(retentionMillis, 3 * leaseMillis) * NANOS / 3

    public fun heartbeatNanos(): Long = (leaseNanos / 3 * Random.nextDouble(0.8, 1.2)).toLong()

    public fun backoffNanos(attempt: Int): Long {
        val ceiling = minOf(leaseNanos / 12, 10 * NANOS shl minOf(attempt, 10))
        return (ceiling * Random.nextDouble(0.5, 1.0)).toLong()
    }

    internal companion object {
        const val NANOS = 1_000_000L
    }
}

/** What one handle wants of its semaphore. */
internal class HandleSettings(
    /** -1 for an attached handle, which creates nothing. */
    val declared: Int,
    val bounded: Boolean,
    val quarantine: Boolean,
    val holdMillis: Long,
) {
    val asDeclared: Declared get() = Declared(declared, bounded)
}
