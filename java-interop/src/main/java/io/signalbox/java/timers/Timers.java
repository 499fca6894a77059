package io.signalbox.java.timers;

import io.signalbox.java.Registration;
import io.signalbox.java.Signalbox;
import io.signalbox.java.internal.timers.TimersBridge;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Flow;
import org.HdrHistogram.Histogram;

/**
 * Durable timers: set by any process, handled by one of the processes that run a handler for the topic; blocking view.
 *
 * <p>A timer that was set (the call has returned) and not cancelled is handled at least once, never before it is due by the server's clock. It is handled
 * twice only if a handler failed, or the claim on it ended because its worker died or was cut off or frozen for longer than {@link
 * TimersOptions.Builder#takeoverAfter(Duration)}. One timer that fails, hangs or cannot be decoded delays no other.
 *
 * <p>All methods are safe to use from any thread. Closing the client ends it. Interrupting a thread that waits withdraws the call.
 */
public interface Timers {
    /**
     * Makes a service of timers.
     *
     * @param signalbox a client made by this library
     * @param options which handlers, and what to do differently
     * @return a new service
     * @throws IllegalArgumentException if an option is out of range, or a topic has two handlers
     */
    static Timers create(Signalbox signalbox, TimersOptions options) {
        return TimersBridge.create(signalbox, options);
    }

    /**
     * Sets the timer {@code id} of {@code topic}, due {@code after} from the moment at which the server gets it. An existing one of the same id, waiting, paused or
     * dead, is replaced in the same step. If it is being handled at that moment, the handler is not interrupted, its outcome has no effect any more, and the new
     * setting is handled when it is due, maybe while the old handler still runs. If the call fails or is withdrawn, it may have been stored or not.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic: not blank, at most 512 bytes of UTF-8, no braces, control characters or lone surrogates
     * @param payload what its handler is to get
     * @param after zero is due at once; whole milliseconds, rounded up; at most 1000 years
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> void schedule(Topic<T> topic, String id, T payload, Duration after) throws InterruptedException;

    /**
     * As the other, due at a moment of the server's clock.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic
     * @param payload what its handler is to get
     * @param at by the server's clock; at once if that has passed; rounded up to milliseconds
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> void schedule(Topic<T> topic, String id, T payload, Instant at) throws InterruptedException;

    /**
     * Sets one timer, as it says.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param timer what to set
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> void schedule(Topic<T> topic, NewTimer<T> timer) throws InterruptedException;

    /**
     * Sets many timers, some hundreds in one step each; of two with the same id the later one counts. If it fails, some may have been set. Errors of arguments are
     * found before the first is written.
     *
     * @param <T> the type of payloads
     * @param topic whose timers
     * @param timers what to set
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> void scheduleAll(Topic<T> topic, Collection<NewTimer<T>> timers) throws InterruptedException;

    /**
     * Sets the recurring timer {@code id} of {@code topic}. So every process can call this when it starts: one that recurs in the same way keeps its next
     * occurrence, its count of occurrences, and whether it is paused, and takes over another payload; one that recurs in another way is set anew, and stays
     * paused if it is; one that was parked is put back. However many workers there are, each occurrence is handled as one timer.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic
     * @param payload what its handler is to get
     * @param recurrence how it comes again; it occurs first when this says, seen from now
     * @return whether that changed anything
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> boolean scheduleRecurring(Topic<T> topic, String id, T payload, Recurrence recurrence)
            throws InterruptedException;

    /**
     * As the other, with a first occurrence of its own.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic
     * @param payload what its handler is to get
     * @param recurrence how it comes again
     * @param first when it occurs first
     * @return whether that changed anything
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> boolean scheduleRecurring(Topic<T> topic, String id, T payload, Recurrence recurrence, Instant first)
            throws InterruptedException;

    /**
     * As the other, with metadata, which travel beside the payload.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic
     * @param payload what its handler is to get
     * @param recurrence how it comes again
     * @param metadata as {@link NewTimer#metadata(Map)}
     * @return whether that changed anything
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> boolean scheduleRecurring(
            Topic<T> topic, String id, T payload, Recurrence recurrence, Map<String, String> metadata)
            throws InterruptedException;

    /**
     * Removes the timer, whatever state it is in. A handler that runs at that moment is not interrupted; its outcome has no effect any more.
     *
     * @param topic whose timer
     * @param id its id within the topic
     * @return whether there was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean cancel(Topic<?> topic, String id) throws InterruptedException;

    /**
     * Takes the timer off the timeline until it is resumed.
     *
     * @param topic whose timer
     * @param id its id within the topic
     * @return whether it was on it
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean pause(Topic<?> topic, String id) throws InterruptedException;

    /**
     * Puts a paused timer back: a recurring one for its next occurrence from now, another for when it was due.
     *
     * @param topic whose timer
     * @param id its id within the topic
     * @return whether it was paused
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean resume(Topic<?> topic, String id) throws InterruptedException;

    /**
     * Has the timer handled now. A recurring one has its next occurrence when it would have had it anyway, another one is done with that.
     *
     * @param topic whose timer
     * @param id its id within the topic
     * @return whether it waits on the timeline: not if it is paused, dead, being handled, or there is none
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean runNow(Topic<?> topic, String id) throws InterruptedException;

    /**
     * Has no timer of {@code topic} taken by anybody until {@link #resumeTopic}. Handlers that run go on, timers can be set and changed, and what becomes due
     * waits. Single timers that are paused are another matter.
     *
     * @param topic whose timers
     * @return whether that is new
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean pauseTopic(Topic<?> topic) throws InterruptedException;

    /**
     * Ends {@link #pauseTopic}: what is overdue is taken at once.
     *
     * @param topic whose timers
     * @return whether the topic was paused
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean resumeTopic(Topic<?> topic) throws InterruptedException;

    /**
     * The names of the topics that are paused as a whole.
     *
     * @return names, or none
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Set<String> pausedTopics() throws InterruptedException;

    /**
     * How many timers of {@code topic} are paused.
     *
     * @param topic whose timers
     * @return 0 or more
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    long countPaused(Topic<?> topic) throws InterruptedException;

    /**
     * The timers of {@code topic} that are paused, those first that have been so for longest.
     *
     * @param <T> the type of payloads
     * @param topic whose timers
     * @param query its limit and page; its times are not looked at
     * @return a page of them
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> TimerPage<T> listPaused(Topic<T> topic, TimerQuery query) throws InterruptedException;

    /**
     * Reads the timer, whatever state it is in.
     *
     * @param <T> the type of payloads
     * @param topic whose timer
     * @param id its id within the topic
     * @return the timer, or empty if there is none
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> Optional<Timer<T>> get(Topic<T> topic, String id) throws InterruptedException;

    /**
     * The timers on the timeline of {@code topic}, those being handled included, in the order of {@link Timer#next()}.
     *
     * @param <T> the type of payloads
     * @param topic whose timers
     * @param query which of them
     * @return a page of them
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    <T> TimerPage<T> list(Topic<T> topic, TimerQuery query) throws InterruptedException;

    /**
     * How many timers are on the timeline of {@code topic}, those being handled included.
     *
     * @param topic whose timers
     * @return 0 or more
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    long count(Topic<?> topic) throws InterruptedException;

    /**
     * Timers of all topics that will not be handled until somebody does something about it: dead, undecodable, or due without a worker for their topic.
     *
     * @param query its limit and page; its times are not looked at
     * @return a page of them
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    DeadTimerPage deadTimers(TimerQuery query) throws InterruptedException;

    /**
     * As the other, of one topic.
     *
     * @param topic the name of the topic
     * @param query its limit and page; its times are not looked at
     * @return a page of them
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    DeadTimerPage deadTimers(String topic, TimerQuery query) throws InterruptedException;

    /**
     * Puts a dead or undecodable timer back, due {@code after} from now, its attempts forgotten.
     *
     * @param topic the name of the topic
     * @param id its id within the topic
     * @param after zero is due at once
     * @return whether it was dead or undecodable
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean requeue(String topic, String id, Duration after) throws InterruptedException;

    /**
     * Removes a dead or undecodable timer.
     *
     * @param topic the name of the topic
     * @param id its id within the topic
     * @return whether it was one
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    boolean discard(String topic, String id) throws InterruptedException;

    /**
     * Handles what is due now, once, to the end: for a process that is started from time to time, and for tests. What becomes due meanwhile is left for the next
     * pass.
     *
     * @return what was done
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    HandledTimers handleReady() throws InterruptedException;

    /**
     * The server's time of day.
     *
     * @return the time
     * @throws io.signalbox.StoreUnavailableException if the server gives no answer in time, or refuses
     * @throws io.signalbox.SignalboxClosedException if the client is closed
     * @throws InterruptedException if the thread is interrupted first
     */
    Instant now() throws InterruptedException;

    /**
     * Handles timers until the worker is stopped. Handlers run as many at a time as {@link TimersOptions.Builder#concurrency(int)} says.
     *
     * @return a handle to stop it by
     * @throws IllegalStateException if there is no handler, or timers are being handled by this service already
     */
    TimerWorker start();

    /**
     * What happens to timers in this process, for each subscriber from its subscription on. A slow subscriber misses some, and never slows handling down.
     *
     * @return a publisher for any number of subscribers
     */
    Flow.Publisher<TimerEvent> events();

    /**
     * Has {@code listener} hear of every event in this process from now on: none is missed, as a slow subscriber of {@link #events()} may.
     *
     * @param listener called on the library's threads, see {@link TimerListener}
     * @return a handle that takes the registration back
     */
    Registration addListener(TimerListener listener);

    /**
     * How late handlers began in this process, in microseconds of server time after the timer was due.
     *
     * @return a copy to be kept
     */
    Histogram lag();

    /**
     * The same timers for asynchronous use.
     *
     * @return the other view
     */
    AsyncTimers async();
}
