package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Exchange
import io.signalbox.internal.ledger.Opened
import io.signalbox.internal.ledger.Opening
import io.signalbox.internal.ledger.SessionListener
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import kotlin.time.TimeSource

/** What the in-memory clients of one store share: the semaphores by full name, and who listens. Thread-safe. */
internal class MemoryLedgers(
    timeSource: TimeSource.WithComparableMarks,
) {
    private val lock = ReentrantLock()
    private val origin = timeSource.markNow()
    private val semaphores = HashMap<String, Entry>()
    private val listeners = ConcurrentHashMap<String, SessionListener>()

    private val delivering = ReentrantLock()
    private val answers = ConcurrentLinkedQueue<() -> Unit>()

    /** Keys expire in Redis; here a state that nobody refreshed is forgotten when it is next asked for. */
    private class Entry(
        val state: SemaphoreState,
        var expiresAt: Long,
    )

    private fun micros(): Long = ORIGIN_MICROS + origin.elapsedNow().inWholeMicroseconds

    private fun live(
        key: String,
        micros: Long,
    ): Entry? = semaphores[key]?.takeIf { it.expiresAt > micros / 1000 }

    fun open(
        key: String,
        opening: Opening,
    ): Opened =
        lock.withLock {
            val micros = micros()
            val (state, opened) = open(live(key, micros)?.state, opening, micros)
            if (state == null) {
                semaphores.remove(key)
            } else {
                semaphores[key] = Entry(state, state.expiresAt(micros / 1000))
            }
            opened
        }

    /** Executes [exchange] and announces what it granted to others. */
    fun exchange(
        key: String,
        exchange: Exchange,
    ): Answer {
        val executed =
            lock.withLock {
                val micros = micros()
                val entry = live(key, micros) ?: return Answer.Lost(Answer.Reason.DATA_LOST)
                entry.state.execute(exchange, micros, BOUND).also { entry.expiresAt = entry.state.expiresAt(micros / 1000) }
            }
        executed.announced.forEach { listeners[it.session]?.onAnnouncement(it.announcement) }
        return executed.answer
    }

    /** Has [answer] given at the next [deliverAnswers]. */
    fun answerLater(answer: () -> Unit) {
        answers.add(answer)
    }

    /** Gives the answers that are under way, in order; returns when they are given, whoever does it. */
    fun deliverAnswers() {
        // What an answer leads to may ask for more: those come after it, not within it.
        if (delivering.isHeldByCurrentThread) return
        delivering.withLock { while (true) (answers.poll() ?: return)() }
    }

    fun snapshot(
        key: String,
        name: String,
        limit: Int,
    ): SemaphoreSnapshot? =
        lock.withLock {
            val micros = micros()
            live(key, micros)?.state?.snapshotOf(name, micros, limit)
        }

    fun keys(): List<String> = lock.withLock { semaphores.keys.toList() }

    /** Forgets everything, as a server that lost its data. */
    fun clear() {
        lock.withLock { semaphores.clear() }
    }

    fun listen(
        session: String,
        listener: SessionListener,
    ) {
        listeners[session] = listener
    }

    fun forget(session: String) {
        listeners.remove(session)
    }

    private companion object {
        /** Tokens have 16 digits from the first on, as those made of a server's clock. */
        const val ORIGIN_MICROS = 1_000_000_000_000_000

        const val BOUND = 500
    }
}
