package io.signalbox

import io.signalbox.internal.coordination.wholeMillis
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.seconds

/**
 * Where else a grant has to be, beside the memory of the primary, before an acquire returns; see [SignalboxSettings.durability].
 *
 * It makes it rarer that a failover or a crash of the server forgets a grant, and does not rule it out: a replica may be promoted that is not
 * among those that have it, and what has to be there is there only once the acquire has returned, while the server counts it from the grant on. Fencing
 * tokens and [AfterDataLoss.QUARANTINE] are for that.
 */
public class Durability private constructor(
    internal val replicas: Int,
    internal val isOnDisk: Boolean,
    internal val timeoutMillis: Long,
) {
    override fun equals(other: Any?): Boolean =
        other is Durability && other.replicas == replicas && other.isOnDisk == isOnDisk && other.timeoutMillis == timeoutMillis

    override fun hashCode(): Int = (replicas * 2 + if (isOnDisk) 1 else 0) * 31 + timeoutMillis.hashCode()

    override fun toString(): String =
        (if (isOnDisk) "Durability.onDisk(replicas=$replicas" else "Durability.replicated($replicas") + ", timeout=${timeoutMillis}ms)"

    public companion object {
        private const val MOST_REPLICAS = 100

        /**
         * In the memory of [replicas] replicas (`WAIT`).
         *
         * @param replicas 1 to 100
         * @param timeout how long that may take, 1 ms to 1 day; rounded up to whole milliseconds. Keep it well below the lease.
         * @throws IllegalArgumentException if one of them is out of range.
         */
        public fun replicated(
            replicas: Int = 1,
            timeout: Duration = 1.seconds,
        ): Durability {
            require(replicas in 1..MOST_REPLICAS) { "replicas must be from 1 to $MOST_REPLICAS, but was $replicas." }
            return Durability(replicas, isOnDisk = false, wholeMillis("timeout", timeout, 1.days))
        }

        /**
         * On the disk of the primary, and on those of [replicas] replicas (`WAITAOF`, from Redis 7.2 and Valkey on); all of them need an
         * append-only file.
         *
         * @param replicas 0 to 100
         * @param timeout see [replicated]
         * @throws IllegalArgumentException if one of them is out of range.
         */
        public fun onDisk(
            replicas: Int = 0,
            timeout: Duration = 1.seconds,
        ): Durability {
            require(replicas in 0..MOST_REPLICAS) { "replicas must be from 0 to $MOST_REPLICAS, but was $replicas." }
            return Durability(replicas, isOnDisk = true, wholeMillis("timeout", timeout, 1.days))
        }
    }
}
