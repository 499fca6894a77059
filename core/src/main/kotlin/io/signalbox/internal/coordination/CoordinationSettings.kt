package io.signalbox.internal.coordination

import io.signalbox.InternalSignalboxApi
import io.signalbox.OnMismatch
import io.signalbox.internal.ClientTime
import io.signalbox.internal.ledger.Declared
import java.util.concurrent.atomic.AtomicLong
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
    /** Where all that waits for the store does so. */
    public val time: ClientTime = ClientTime.REAL,
    private val random: Random = Random,
    /** What is held for longer is told once; [Long.MAX_VALUE] for never. */
    internal val holdWarningNanos: Long = Long.MAX_VALUE,
) {
    private val leaseNanos = leaseMillis * NANOS

    /** The server renews a session when so much of its lease has passed. */
    internal val renewalMillis: Long = (leaseMillis + 15) / 16

    /** The server renews in steps of 1/16 lease; another 1/16 covers clocks that run at different speeds and a late timer. */
    public val usableNanos: Long = leaseNanos - leaseNanos / 8

    /** An unanswered exchange is repeated after this. */
    public val patienceNanos: Long = minOf(leaseNanos / 6, MOST_PATIENCE)

    public val storeTimeoutNanos: Long = storeTimeoutMillis * NANOS

    /** How often a busy semaphore is looked after. */
    public val tickNanos: Long = minOf(leaseNanos / 12, storeTimeoutNanos / 2)

    /** When operators were last told that the store does not answer; 0 for never. */
    internal val warnedAt = AtomicLong()

    /** How long a handle that is not used keeps its session: it is used again soon, or not for long. */
    internal val lingerNanos: Long = minOf(leaseNanos, 5_000 * NANOS)

    /** How often the keys of what is not used have their retention renewed. */
    public val refreshNanos: Long = maxOf(retentionMillis, 3 * leaseMillis) * NANOS / 3

    public fun heartbeatNanos(): Long = (leaseNanos / 3 * random.nextDouble(0.8, 1.2)).toLong()

    public fun backoffNanos(attempt: Int): Long {
        val ceiling = minOf(leaseNanos / 12, 10 * NANOS shl minOf(attempt, 10))
        return (ceiling * random.nextDouble(0.5, 1.0)).toLong()
    }

    internal companion object {
        const val NANOS = 1_000_000L

        /** However long the lease. */
        private const val MOST_PATIENCE = 5_000 * NANOS

        /** A store that has not answered for so long is taken for away. */
        const val SILENCE_NANOS = 500 * NANOS

        /** How long acquires wait at most for others to leave with them. */
        const val GATHERING_NANOS = NANOS
    }
}

/** What one handle wants of its semaphore. */
internal class HandleSettings(
    /** -1 for an attached handle, which creates nothing. */
    val declared: Int,
    val bounded: Boolean,
    /** How long newcomers wait after a loss of data, and the longest lease that a client may have; 0 for neither. */
    val longestMillis: Long,
    val holdMillis: Long,
    val onMismatch: OnMismatch = OnMismatch.FAIL,
) {
    val asDeclared: Declared get() = Declared(declared, bounded)

    /** As the store has it: whoever creates the semaphore anew waits for the leases of all that joined it. */
    fun withLongest(stored: Long): HandleSettings =
        if (longestMillis in 1..<stored) HandleSettings(declared, bounded, stored, holdMillis, onMismatch) else this
}
