package io.signalbox.internal

import io.signalbox.Event
import io.signalbox.EventFullException
import io.signalbox.EventSettings
import io.signalbox.EventTimeoutException
import io.signalbox.SemaphoreSnapshot
import io.signalbox.internal.coordination.HeldPermit
import io.signalbox.internal.coordination.MAX_HOLD
import io.signalbox.internal.coordination.wholeMillis
import io.signalbox.internal.ledger.Answer
import io.signalbox.internal.ledger.Command
import kotlin.time.Duration

/**
 * An event as a semaphore whose permits are signals: setting it adds one, and who is granted one consumes it instead of giving it
 * back. What dies between grant and consumption loses the permit like any holder, so the signal goes to the next one.
 */
internal class DefaultEvent(
    private val semaphore: DefaultSemaphore,
    private val settings: EventSettings,
) : Event,
    Viewed {
    @Volatile
    override var views: Any? = null

    val coordinator = semaphore.coordinator
    private val keepMillis = if (settings.signalTtl.isInfinite()) -1 else wholeMillis("signalTtl", settings.signalTtl, MAX_HOLD)

    override val name: String get() = semaphore.name

    override suspend fun set() {
        val command = Command.Signal(settings.maxSignals, keepMillis)
        val bounds = semaphore.bounds
        val asked =
            if (bounds == null) coordinator.ask(command) else bounds.within(coordinator.subject, waits = false) { coordinator.ask(command) }
        if (asked.result == Answer.FULL) {
            throw EventFullException(
                name,
                settings.maxSignals,
                "Event '$name' keeps ${settings.maxSignals} signals that nobody has awaited, which is the most it may. Nothing was set: " +
                    "see that somebody awaits, clear() it, or raise maxSignals.",
            )
        }
    }

    override suspend fun await() = await(Duration.INFINITE)

    override suspend fun await(timeout: Duration) {
        if (!tryAwait(timeout)) {
            throw EventTimeoutException(name, "Event '$name' was not set within $timeout.")
        }
    }

    override suspend fun tryAwait(timeout: Duration): Boolean {
        while (true) {
            val signal = semaphore.tryAcquire(permits = 1, timeout = timeout) as HeldPermit? ?: return false
            // Lost before it could be consumed: it is somebody else's now.
            if (signal.consume()) return true
        }
    }

    override suspend fun clear(): Int = coordinator.ask(Command.Clear).result

    override suspend fun delete(): Boolean = coordinator.delete()

    override suspend fun isSet(): Boolean = coordinator.ask(null).answer.let { it.permits > it.held }

    /** Signals as permits: `permits` are kept or on their way, the queue is who awaits. */
    internal suspend fun snapshot(limit: Int = 1): SemaphoreSnapshot = semaphore.snapshot(limit)

    override fun toString(): String = "Event(name=$name)"
}
