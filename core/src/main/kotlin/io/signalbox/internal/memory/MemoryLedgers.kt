package io.signalbox.internal.memory

import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.errorSafely
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
import org.slf4j.Logger
import org.slf4j.LoggerFactory

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

    /** What is left of a semaphore that was deleted, as long as some client may not have heard of it. */
    private class Mark(
        val epoch: String,
        val by: String,
        val fence: Long,
        val expiresAt: Long,
    )

    private val marks = HashMap<String, Mark>()

    private fun mark(
        key: String,
        micros: Long,
    ): Mark? = marks[key]?.takeIf { it.expiresAt > micros / 1000 }

    /** Ends the state of [epoch]; its sessions are told to ask. */
    fun delete(
        key: String,
        epoch: String,
        by: String,
    ): Boolean {
        val told =
            lock.withLock {
                val micros = micros()
                val state = live(key, micros)?.state?.takeIf { it.epoch == epoch } ?: return false
                semaphores.remove(key)
                marks[key] = Mark(epoch, by, state.fence, micros / 1000 + state.retention)
                state.sessions.keys.toList()
            }
        told.forEach { guarded { listeners[it]?.onSummons() } }
        return true
    }

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
                mark(key, micros)?.let { state.fence = maxOf(state.fence, it.fence) }
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
                mark(key, micros)?.let { if (it.epoch == exchange.epoch) return Answer.Lost(Answer.Reason.DELETED, it.by) }
                val entry = live(key, micros) ?: return Answer.Lost(Answer.Reason.DATA_LOST)
                entry.state.execute(exchange, micros, BOUND).also { entry.expiresAt = entry.state.expiresAt(micros / 1000) }
            }
        executed.announced.forEach { guarded { listeners[it.session]?.onAnnouncement(it.announcement) } }
        executed.summoned.forEach { guarded { listeners[it.session]?.onSummons() } }
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
        delivering.withLock { while (true) guarded(answers.poll() ?: return) }
    }

    /** What one client makes of what it hears is nobody else's concern. */
    private inline fun guarded(tell: () -> Unit) {
        try {
            tell()
        } catch (problem: Throwable) {
            log.errorSafely("A client could not take in what it was told", problem)
        }
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

    fun keep(key: String) {
        lock.withLock {
            val micros = micros()
            live(key, micros)?.run { expiresAt = state.expiresAt(micros / 1000) }
        }
    }

    fun keys(): List<String> = lock.withLock { semaphores.keys.toList() }

    /** Forgets everything, as a server that lost its data. */
    fun clear() {
        lock.withLock {
            semaphores.clear()
            marks.clear()
        }
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
        val log: Logger = LoggerFactory.getLogger(MemoryLedgers::class.java)

        /** Tokens have 16 digits from the first on, as those made of a server's clock. */
        const val ORIGIN_MICROS = 1_000_000_000_000_000

        const val BOUND = 500
    }
}
