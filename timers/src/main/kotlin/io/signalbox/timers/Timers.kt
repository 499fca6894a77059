package io.signalbox.timers

import io.signalbox.InternalSignalboxApi
import io.signalbox.Signalbox
import io.signalbox.internal.BackendOwner
import io.signalbox.timers.internal.DefaultTimers
import java.time.Instant
import kotlin.time.Duration
import kotlinx.coroutines.DisposableHandle
import kotlinx.coroutines.flow.Flow
import org.HdrHistogram.Histogram

/**
 * Durable timers: set by any process, handled by one of the processes that [run] a handler for the topic.
 *
 * A timer that was set (the call has returned) and not cancelled is handled at least once, never before it is due by the server's clock.
 * It is handled twice only if a handler failed, or the claim on it ended because its worker died or was cut off or frozen for longer than
 * [TimersSettings.takeoverAfter]. One timer that fails, hangs or cannot be decoded delays no other.
 *
 * All members are safe to use from any thread and coroutine. Closing the [Signalbox] ends it, as cancelling [run] does; from inside of a
 * handler, closing returns at once, and the end comes when the handler has returned.
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
     * One that recurs is refused: it would not recur any more. [cancel] it first, or use [scheduleRecurring].
     *
     * Timers of one topic that are due at the same millisecond are taken in the order in which they were set, 4096 of them; more than
     * that, and
     * from the year 2109 on more than half of that and so on, by the bytes of their ids.
     *
     * If it is being handled at that moment, the handler is not interrupted, its outcome has no effect any more, and the new setting is
     * handled when it is due, maybe while the old handler still runs.
     *
     * Suspends until the server has stored it. If the call fails or is cancelled, it may have been stored or not. Many concurrent calls
     * of a process travel together. What the server refuses, as one that is out of memory does, is told at once.
     *
     * @param id not blank, at most 512 bytes of UTF-8, no braces, control characters or lone surrogates.
     * @param after zero is due at once; whole milliseconds, rounded up; at most 1000 years.
     * @param metadata beside the payload, see [TimerMetadata] for the limits; wins over that of the coroutine.
     * @throws IllegalArgumentException if an argument is out of range, the payload too large, or the topic unknown to this service, or if
     * the
     *   payload cannot be read back; nothing was written.
     * @throws IllegalStateException if the timer recurs; nothing was changed.
     * @throws io.signalbox.StoreUnavailableException if the store gives no answer in time.
     */
    public suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        after: Duration,
        metadata: Map<String, String> = emptyMap(),
    )

    /** As the other, due at [at] by the server's clock; at once if that has passed. Years up to 9999; rounded up to milliseconds. */
    public suspend fun <T> schedule(
        topic: Topic<T>,
        id: String,
        payload: T,
        at: Instant,
        metadata: Map<String, String> = emptyMap(),
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
     * Sets the recurring timer [id] of [topic], and returns whether that changed anything. So every process can call this when it starts:
     *
     * - one that recurs in the same way keeps its next occurrence, its count of occurrences, and whether it is paused; if the payload or
     *   the
     *   metadata are others, they are replaced, and the next occurrence has them;
     * - one that recurs in another way, or is no recurring timer, is set anew; if it is paused it stays so;
     * - one that was parked or dead is put back.
     *
     * However many workers there are, each occurrence is handled as one timer, and the next one is set in the same step in which it is
     * acknowledged or given up. A recurring timer is never dead: an occurrence that fails for good, or that no worker can decode, is given
     * up
     * and reported, and the next one comes.
     *
     * @param first when it occurs first, if it is set anew; by default when [recurrence] says, seen from now.
     * @throws IllegalArgumentException as [schedule], and if the recurrence never occurs.
     */
    public suspend fun <T> scheduleRecurring(
        topic: Topic<T>,
        id: String,
        payload: T,
        recurrence: Recurrence,
        first: Instant? = null,
        metadata: Map<String, String> = emptyMap(),
    ): Boolean

    /**
     * Removes the timer, whatever state it is in, and tells whether there was one. A handler that runs at that moment is not
     * interrupted; its outcome has no effect any more.
     *
     * This and everything that asks takes any topic that this service knows or that a timer was ever set for, so that timers of a topic
     * which the code has dropped can be looked at and removed, see [rawTopic].
     *
     * @throws IllegalArgumentException if the topic is neither: a typing error.
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

    /**
     * Has the timer handled now, and tells whether it waits on the timeline: `false` if it is paused, dead, being handled, or there is
     * none. A
     * recurring one has its next occurrence when it would have had it anyway, another one is done with that.
     */
    public suspend fun runNow(
        topic: Topic<*>,
        id: String,
    ): Boolean

    /**
     * Has no timer of [topic] taken by anybody until [resumeTopic], and tells whether that is new. Handlers that run go on, timers can be
     * set and
     * changed, and what becomes due waits. Single timers that are [paused][pause] are another matter.
     */
    public suspend fun pauseTopic(topic: Topic<*>): Boolean

    /** Ends [pauseTopic], and tells whether the topic was paused: what is overdue is taken at once. */
    public suspend fun resumeTopic(topic: Topic<*>): Boolean

    /** The names of the topics that are paused as a whole. */
    public suspend fun pausedTopics(): Set<String>

    /** The timer, whatever state it is in, or `null` if there is none. */
    public suspend fun <T> get(
        topic: Topic<T>,
        id: String,
    ): Timer<T>?

    /**
     * The timers on the timeline of [topic], those being handled included, in the order of [Timer.next], and where that is the same in the
     * order
     * in which they are taken. Paused ones are not on the timeline, see [listPaused].
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
     * The timers of [topic] that are paused, those first that have been so for longest.
     *
     * @param limit 1 to 1000 a page.
     * @param after [TimerPage.next] of the page before.
     */
    public suspend fun <T> listPaused(
        topic: Topic<T>,
        limit: Int = 100,
        after: String? = null,
    ): TimerPage<T>

    /** How many timers of [topic] are paused. */
    public suspend fun countPaused(topic: Topic<*>): Long

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
     * their timers back. It suspends for that time, and so does everything that waits for it; without running handlers, within the client's
     * store timeout. Closing the client does the same.
     *
     * Where more is due than there are places, each topic gets the same share of them.
     *
     * @throws IllegalStateException if it runs already, or there is no handler.
     * @throws io.signalbox.SignalboxClosedException when the client is closed.
     */
    public suspend fun run(): Nothing

    /**
     * Handles what is due now, once, and returns when that is done: for a process that is started from time to time, and for tests. That
     * includes what was set before with a span of zero, or for the present moment. What becomes due meanwhile is left for the next pass.
     */
    public suspend fun handleReady(): HandledTimers

    /** The server's time of day. */
    public suspend fun now(): Instant

    /** What happens to timers in this process, from now on. A slow collector misses some, and never slows handling down. */
    public val events: Flow<TimerEvent>

    /**
     * Has [listener] hear of every event in this process from now on, until the returned handle is disposed of: none is missed, as a slow
     * collector of [events] may.
     */
    public fun addListener(listener: TimerListener): DisposableHandle

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
