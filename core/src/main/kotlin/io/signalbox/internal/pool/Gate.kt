package io.signalbox.internal.pool

import io.signalbox.internal.coordination.CoordinationSettings.Companion.NANOS
import io.signalbox.internal.ledger.ClientIdentity

/**
 * This client's part in the gate: only who holds it gathers several permits one by one, so that two never wait for what the other has.
 *
 * The gate is a key with a lease. If two believe that they hold it, because one was frozen, one of them finds out with its next
 * round and gives back what it has gathered; nothing but time depends on it. Guarded by the coordinator's lock.
 */
internal class Gate(
    private val client: ClientIdentity,
    private val pace: PoolPace,
) {
    private var number = 0L
    private var isHeld = false
    private var isDue = false
    private var owner: PoolWaiter? = null

    /** When to ask for it again. */
    var askAt = Long.MIN_VALUE
        private set

    /** What is in the key while it is ours. */
    val mark: String get() = "${client.id}/$number"

    /** Whether nothing has to be said about it. */
    val isIdle: Boolean get() = owner == null && !isHeld && !isDue

    val isWanted: Boolean get() = owner != null && !isHeld

    /** Says who is to gather next; `null` for nobody. */
    fun isFor(waiter: PoolWaiter?) {
        if (owner === waiter) return
        owner = waiter
        askAt = Long.MIN_VALUE
        isDue = isDue || isHeld
        isHeld = false
    }

    fun isHeldFor(waiter: PoolWaiter): Boolean = isHeld && owner === waiter

    fun move(beats: Boolean): GateMove =
        when {
            isDue -> {
                isDue = false
                // Whoever waits for it gets a chance.
                if (owner != null) askAt = pause()
                GateMove.DROP
            }

            isHeld -> if (beats) GateMove.KEEP else GateMove.NONE

            owner != null && askAt <= pace.now() -> {
                number++
                askAt = pause()
                GateMove.TAKE
            }

            else -> GateMove.NONE
        }

    /** Returns false if the gate turns out not to be ours any more. */
    fun answered(
        move: GateMove,
        found: String?,
    ): Boolean {
        when (move) {
            GateMove.TAKE -> {
                isHeld = found == mark && owner != null
                isDue = found == mark && owner == null
            }

            GateMove.KEEP ->
                if (isHeld && found != mark) {
                    isHeld = false
                    return false
                }

            GateMove.NONE, GateMove.DROP -> Unit
        }
        return true
    }

    /** A round with [move] may or may not have been carried out, and is not repeated. */
    fun failed(move: GateMove) {
        if (move == GateMove.DROP) isDue = true
    }

    fun forget() {
        isHeld = false
        isDue = false
        askAt = Long.MIN_VALUE
    }

    private fun pause(): Long {
        val longest = minOf(pace.leaseNanos / 12, 200 * NANOS).coerceAtLeast(2 * NANOS)
        return pace.now() + pace.jittered(longest, 0.5, 1.0)
    }
}
