package io.signalbox.ledger.turns

import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.memory.Executed
import io.signalbox.internal.memory.SemaphoreState
import io.signalbox.internal.memory.execute
import io.signalbox.internal.memory.open
import kotlin.random.Random

/** The in-memory ledger of one semaphore, which can lose its data, and go back to an earlier state as a replica that takes over does. */
internal class SimulatedStore(
    private val micros: () -> Long,
    private val bound: Int,
) {
    private class Done(
        val request: Any,
        val at: Long,
    )

    var state: SemaphoreState? = null
        private set

    /** Added to the clock; after a loss it may be behind. */
    private var offset = 0L

    /** The largest token of all states. */
    private var highest = 0L
    private val history = ArrayList<Done>()

    private fun now() = micros() + offset

    fun open(opening: Opening): Opened {
        val at = now()
        history += Done(opening, at)
        val (next, opened) = open(state, opening, at)
        state = next
        return opened
    }

    fun exchange(exchange: Exchange): Executed {
        val at = now()
        history += Done(exchange, at)
        return state?.execute(exchange, at, bound) ?: Executed(Answer.Lost(Answer.Reason.DATA_LOST))
    }

    /** Whether [session] is there and its lease is not over. */
    fun isAlive(session: String): Boolean = state?.run { sessions[session]?.let { it.deadline > readable(this) } } ?: false

    private fun readable(state: SemaphoreState) = maxOf(now() / 1000 + state.offset, state.clock)

    fun isOpen(): Boolean = state?.let { readable(it) >= it.quarantineUntil } ?: true

    fun lose(clockBehindMicros: Long) {
        // Never ahead of the tokens that are there already, unless it is behind.
        highest = maxOf(highest, state?.fence ?: 0)
        state = null
        history.clear()
        offset = if (clockBehindMicros > 0) offset - clockBehindMicros else maxOf(offset, highest + 1 - micros())
    }

    /** What was done last is undone: up to 8 requests. */
    fun rollBack(random: Random) {
        highest = maxOf(highest, state?.fence ?: return)
        val kept = history.dropLast(1 + random.nextInt(8))
        state = null
        for (done in kept) {
            when (val request = done.request) {
                is Opening -> state = open(state, request, done.at).first
                is Exchange -> state?.execute(request, done.at, bound)
            }
        }
        history.clear()
        history += kept
        offset = maxOf(offset, highest + 1 - micros())
    }
}
