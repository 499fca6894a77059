package io.signalbox.timers

import io.signalbox.InternalSignalboxApi
import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.timers.internal.DefaultTimers
import kotlin.time.Duration
import kotlin.time.Instant
import kotlinx.coroutines.flow.Flow
import org.HdrHistogram.Histogram

/**
 * Durable timers: set by any process, handled by one of the processes that [run] a handler for the topic.
 *
 * A timer that was set (the call has returned) and not cancelled is handled at least once, never before it is due by the server's clock.
 * It is handled twice only if a handler failed, or the claim on it ended because its worker died or was cut off or frozen for longer than
 * [TimersSettings.takeoverAfter]. One timer that fails, hangs or cannot be decoded delays no other.
 *
 * All members are safe to use from any thread and coroutine. Closing the [Signalbox] ends it.
 *
 * ```
 * val timers = Timers(signalbox, context = app) { include(router) }
 * timers.schedule(Reminders, id = "42", Reminder("call back"), after = 5.minutes)
 * launch { timers.run() }
 * ```
 */
public interface Timers {
    /**
     * Sets the timer [id] of [topic], due [after] from the moment at which the server gets it. An existing one of the same id, waiting,
     * paused or dead, is replaced in the same step.
     *
     * If it is being handled at that moment, the handler is not interrupted, its outcome has no effect any more, and the new setting is
     * handled when it is due, maybe while the old handler still runs.
     *
     * Suspends until the server has stored it. If the call fails or is cancelled, it may have been stored or not. Many concurrent calls
     * of a
     * process travel together.
     *
     * @param id not blank, at most 512 bytes of UTF-8, no braces, control characters or lone surrogates.
     * @param after zero is due at once; whole milliseconds, rounded up; at most 1000 years.
     * @throws IllegalArgumentException if an argument is out of range, the payload too large, or the topic unknown to this service; nothing
     *   was written.
     * @throws io.signalbox.StoreUnavailableException if the store gives no answer in time.
     */
    public suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        after: Duration,
    )

    /** As the other, due at [at] by the server's clock; at once if that has passed. Years up to 9999; rounded up to milliseconds. */
    public suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        at: Instant,
    )

    /**
     * Sets many timers, some hundreds in one step each; of two with the same id the later one counts. If it fails, some may have been set.
     * Errors of arguments are found before the first is written.
     */
    public suspend fun <T> scheduleAll(
        topic: Topic<T>,
        timers: Iterable<NewTimer<T>>,
    )

    /**
     * Sets the recurring timer [id] of [topic], and returns whether it was set: one that exists with the same recurrence and payload is
     * left
     * alone, with its next occurrence, paused or not. So every process can call this when it starts.
     *
     * However many workers there are, each occurrence is handled as one timer, and the next one is set in the same step in which it is
     * acknowledged or given up.
     *
     * @param first when it occurs first; by default when [recurrence] says, seen from now.
     */
    public suspend fun <T> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
        first: Instant? = null,
    ): Boolean

    /**
     * Removes the timer, whatever state it is in, and tells whether there was one. A handler that runs at that moment is not
     * interrupted; its
     * outcome has no effect any more.
     */
    public suspend fun cancel(
        topic: Topic<*>,
        id: String,
    ): Boolean

    /** Takes the timer off the timeline until [resume], and tells whether it was on it. A running handler is treated as by [cancel]. */
    public suspend fun pause(
        topic: Topic<*>,
        id: String,
    ): Boolean

    /**
     * Puts a paused timer back, and tells whether it was paused: a recurring one for its next occurrence from now, another for when it was
     * due.
     */
    public suspend fun resume(
        topic: Topic<*>,
        id: String,
    ): Boolean

    /** The timer, whatever state it is in, or `null` if there is none. */
    public suspend fun <T> get(
        topic: Topic<T>,
        id: String,
    ): Timer<T>?

    /**
     * The timers on the timeline of [topic], those being handled included, in the order of [Timer.next].
     *
     * @param from only those with [Timer.next] not before this; [until] not after this.
     * @param limit 1 to 1000 a page.
     * @param after [TimerPage.next] of the page before.
     */
    public suspend fun <T> list(
        topic: Topic<T>,
        from: Instant? = null,
        until: Instant? = null,
        limit: Int = 100,
        after: String? = null,
    ): TimerPage<T>

    /** How many timers are on the timeline of [topic], those being handled included. */
    public suspend fun count(topic: Topic<*>): Long

    /**
     * Timers that will not be handled until somebody does something about it: dead, undecodable, or due without a worker for their topic.
     *
     * @param topic the name of the topic; `null` for all that timers were ever set for.
     * @param limit 1 to 1000 a page.
     * @param after [DeadTimerPage.next] of the page before.
     */
    public suspend fun deadTimers(
        topic: String? = null,
        limit: Int = 100,
        after: String? = null,
    ): DeadTimerPage

    /** Puts a dead or undecodable timer back, due [after] from now, its attempts forgotten; tells whether it was dead or undecodable. */
    public suspend fun requeue(
        topic: String,
        id: String,
        after: Duration = Duration.ZERO,
    ): Boolean

    /** Removes a dead or undecodable timer, and tells whether it was one. */
    public suspend fun discard(
        topic: String,
        id: String,
    ): Boolean

    /**
     * Handles timers until the coroutine is cancelled. Handlers run in the context of the caller, at most [TimersSettings.concurrency] at a
     * time.
     *
     * When cancelled, it takes no more timers, gives running handlers [TimersSettings.drainTimeout] to end, then cancels them and gives
     * their timers back. It suspends for that time, and so does everything that waits for it.
     *
     * @throws IllegalStateException if it runs already, or there is no handler.
     * @throws io.signalbox.SignalboxClosedException when the client is closed.
     */
    public suspend fun run(): Nothing

    /**
     * Handles what is due now, once, and returns when that is done: for a process that is started from time to time, and for tests. What
     * becomes due meanwhile is left for the next pass.
     */
    public suspend fun handleReady(): HandledTimers

    /** The server's time of day. */
    public suspend fun now(): Instant

    /** What happens to timers in this process, from now on. A slow collector misses some, and never slows handling down. */
    public val events: Flow<TimerEvent>

    /** How late handlers began in this process, in microseconds of server time after the timer was due: a copy to be kept. */
    public fun lag(): Histogram
}

/**
 * Makes a service of timers on [signalbox], whose handlers get [context].
 *
 * @throws IllegalArgumentException if a setting is out of range, or a topic has two handlers.
 */
@OptIn(InternalSignalboxApi::class)
public fun <C> Timers(
    signalbox: Signalbox,
    context: C,
    configure: TimersSettings<C>.() -> Unit,
): Timers {
    val settings = TimersSettings<C>().apply(configure)
    settings.check()
    val owner =
        requireNotNull(signalbox as? BackendOwner) {
            "Timers need a client made by Signalbox.connect(), Signalbox() or Signalbox.inMemory()."
        }
    return DefaultTimers(owner, context, settings)
}

/** As the other, for handlers without a context, and for services that only set timers. */
public fun Timers(
    signalbox: Signalbox,
    configure: TimersSettings<Unit>.() -> Unit,
): Timers = Timers(signalbox, Unit, configure)
