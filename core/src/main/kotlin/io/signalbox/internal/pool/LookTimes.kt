package io.signalbox.internal.pool

import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS

/**
 * When a client looks for what the dead have left: as soon as it finds the pool empty, and from then on when the first of the leases that
 * it saw ends. What is known stays known while nobody waits, so that many short waits look as often as a long one; and when the dead are
 * found depends on their leases, not on the asker's. Guarded by the coordinator's lock.
 */
internal open class LookTimes(
    private val pace: PoolPace,
) {
    /** Not before this is anybody found dead, as far as is known. */
    protected var next: Long = Long.MIN_VALUE

    open fun dueAt(): Long = next

    fun isDue(): Boolean = dueAt() <= pace.now()

    fun looked(
        found: Reaper.Found?,
    ) {
        // A look that failed is repeated after a while.
        next = pace.now() + (found?.nextNanos ?: pace.backoffNanos(FAILED))
    }

    /** Nobody waits any more. */
    open fun idle() = Unit

    companion object {
        private const val FAILED = 10

        /** How long a look lasts: whoever came since may have a shorter lease than all who were there. */
        fun mostNanos(slots: Int): Long = (2_000L + 2 * slots) * NANOS
    }
}
