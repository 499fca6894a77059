package io.signalbox.internal.coordination

import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.withTimeoutOrNull

/**
 * When a semaphore has to be looked after next. Guarded by the coordinator's lock, except [sleep].
 *
 * A busy semaphore is looked after every twelfth of a lease anyway, so operations rarely have to ring the bell.
 */
internal class Schedule(
    private val settings: CoordinationSettings,
    private val clock: NanoClock,
) {
    private val bell = Channel<Unit>(Channel.CONFLATED)
    private var plannedWake = Long.MAX_VALUE

    /** The session must be renewed by then. */
    private var heartbeatAt = Long.MAX_VALUE

    /** A session or max hold that others wait for may end then. */
    private var promisedAt = Long.MAX_VALUE

    /** If nothing happens until then, there is nothing to look after any more. */
    private var restAt = Long.MIN_VALUE

    /** The roster must be told by then. */
    private var rosterAt = Long.MAX_VALUE

    /** What was refused is tried again then, or what was kept back to gather leaves. */
    private var retryAt = Long.MAX_VALUE

    fun began(sentAt: Long) {
        heartbeatAt = sentAt + settings.heartbeatNanos()
        restAt = clock.nanos() + settings.lingerNanos
        promisedAt = Long.MAX_VALUE
        rosterAt = Long.MAX_VALUE
        retryAt = Long.MAX_VALUE
    }

    fun sent(now: Long) {
        rosterAt = Long.MAX_VALUE
        retryAt = Long.MAX_VALUE
        heartbeatAt = now + settings.heartbeatNanos()
        restAt = now + settings.lingerNanos
        ringIfBefore(now + settings.tickNanos)
    }

    /** [next] in the ledger's time, which is [ledgerNow] in an answer that has just come; -1 for nothing to wait for. */
    fun promised(
        next: Long,
        ledgerNow: Long,
    ) {
        promisedAt = Long.MAX_VALUE
        if (next < 0) return
        promisedAt = clock.nanos() + (next - ledgerNow + 1).coerceAtLeast(1) * CoordinationSettings.NANOS
        ringIfBefore(promisedAt)
    }

    fun rosterBy(moment: Long) {
        rosterAt = moment
        ringIfBefore(moment)
    }

    fun retryAt(moment: Long) {
        retryAt = moment
        ringIfBefore(moment)
    }

    fun isBeatDue(engaged: Boolean): Boolean = engaged && minOf(heartbeatAt, promisedAt, rosterAt) <= clock.nanos()

    val isRestDue: Boolean get() = restAt <= clock.nanos()

    /**
     * Returns how long to sleep, in nanoseconds.
     *
     * @param departing whether an exchange waits to be written: whatever is asked for meanwhile waits behind it, and rings no bell.
     */
    fun plan(
        state: ClientState,
        departing: Boolean,
    ): Long {
        val now = clock.nanos()
        val live = state.session
        val busy = departing || state.opening || state.inFlight.isNotEmpty() || !state.outbox.isEmpty || state.isEngaged
        var wake = if (busy || restAt <= now) now + settings.tickNanos else restAt
        if (busy && state.inFlight.isEmpty()) wake = minOf(wake, heartbeatAt, promisedAt, rosterAt)
        // Once it has passed, what keeps it from leaving is something else, which says when it is over.
        if (retryAt > now) wake = minOf(wake, retryAt)
        if (busy && live != null) wake = minOf(wake, live.deadline)
        state.inFlight.forEach { wake = minOf(wake, it.retryAt, it.lastSentAt + settings.patienceNanos) }
        plannedWake = wake
        return (wake - now).coerceAtLeast(CoordinationSettings.NANOS)
    }

    fun ringIfBefore(moment: Long) {
        if (moment < plannedWake) ring()
    }

    fun ring() {
        bell.trySend(Unit)
    }

    suspend fun sleep(nanos: Long) {
        withTimeoutOrNull(nanos.nanoseconds) { bell.receive() }
    }
}
