package io.signalbox.quorum

import io.signalbox.PermitsMismatchException
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.quorum.internal.Connecting
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope

/**
 * A client of 3, 5 or 7 independent Redis or Valkey servers, of which a majority decides: where semaphores and mutexes come from that go on when
 * one of the servers dies, and lose nothing with it.
 *
 * The servers know nothing of each other: no replication, no cluster. A permit is what a majority keeps for its holder, each for one lease;
 * who holds it renews it, and learns that it is lost before any master can give it away.
 *
 * A type of its own, because it has less than a [Signalbox] of one server: **no strict order** over processes (who waits longest is likely to be
 * next, and that is all), no several permits in one acquire, no `addPermits`, no max hold, no attaching, no events, no timers, no listeners. When
 * to prefer which: `docs/quorum.md`. All members are safe to use from any thread and coroutine.
 *
 * ```
 * val quorum = Signalbox.connectQuorum(listOf("redis://a", "redis://b", "redis://c"))
 * quorum.mutex("nightly-report").withLock { permit -> write(report, permit.fencingToken) }
 * ```
 */
public interface SignalboxQuorum : AutoCloseable {
    /** How many masters there are. */
    public val masters: Int

    /**
     * Creates the semaphore [name] with [permits] permits, or joins it if a majority knows it.
     *
     * Suspends until a majority has answered. The same name within one client gives the same object. [permits] is the *declared* count: joining
     * with another one fails, whatever [QuorumSemaphore.resize] has made of the current count since. Semaphores that nobody uses are forgotten
     * after 5 minutes or three of the longest leases.
     *
     * @param name not blank, at most 256 bytes of UTF-8, no braces, control characters or lone surrogates.
     * @param permits 1 to [QuorumSemaphore.MAX_PERMITS].
     * @throws IllegalArgumentException if an argument is out of range, two masters are one server, or the masters were told of another
     *   [QuorumSettings.longestLease].
     * @throws PermitsMismatchException if a majority knows it with another declared count.
     * @throws StoreUnavailableException if no majority answers within [QuorumSettings.storeTimeout].
     * @throws SignalboxClosedException if the client was closed.
     */
    public suspend fun semaphore(
        name: String,
        permits: Int,
        configure: QuorumSemaphoreSettings.() -> Unit = {},
    ): QuorumSemaphore

    /**
     * Creates or joins the mutex [name]. As [semaphore]; a mutex and a semaphore of one name have nothing to do with each other.
     *
     * @throws IllegalArgumentException see [semaphore].
     * @throws StoreUnavailableException if no majority answers within [QuorumSettings.storeTimeout].
     */
    public suspend fun mutex(
        name: String,
        configure: QuorumMutexSettings.() -> Unit = {},
    ): QuorumMutex

    /**
     * Starts the goodbye and returns at once: waiting acquires fail with [SignalboxClosedException], held permits are given back, connections are
     * closed. Idempotent. Does not block and does not suspend; [closeAndJoin] waits for the end.
     */
    override fun close()

    /**
     * [close], then suspends until held permits have been given back and the connections are closed, or until [QuorumSettings.storeTimeout] has
     * passed. What could not be given back in time is free one lease later.
     */
    public suspend fun closeAndJoin()
}

/** Settings of one semaphore handle, given to [SignalboxQuorum.semaphore]. The first call for a name within a client decides; a later one with others fails. */
public class QuorumSemaphoreSettings internal constructor() {
    /** How long [QuorumSemaphore.acquire] waits; infinite (the default) for ever, else 1 ms or more. */
    public var acquireTimeout: Duration = Duration.INFINITE
}

/** Settings of one mutex handle, given to [SignalboxQuorum.mutex]. The first call for a name within a client decides; a later one with others fails. */
public class QuorumMutexSettings internal constructor() {
    /** How long [QuorumMutex.lock] waits; infinite (the default) for ever, else 1 ms or more. */
    public var lockTimeout: Duration = Duration.INFINITE
}

/**
 * Makes a client of the independent masters at [uris]; connections are opened by the first call that needs them.
 *
 * @param uris 3, 5 or 7 addresses of different servers, each in a form that [Signalbox.connect] takes. Every client must be given the same set.
 * @throws IllegalArgumentException if there are not 3, 5 or 7 of them, one is given twice, or one or a setting cannot be used; the text never
 *   contains a password.
 */
public fun Signalbox.Companion.connectQuorum(
    uris: List<String>,
    configure: QuorumSettings.() -> Unit = {},
): SignalboxQuorum = Connecting.redis(uris, QuorumSettings().apply(configure))

/**
 * Makes a client of [masters] in memory: the same behaviour without servers, for tests.
 *
 * Under `runTest` pass the test's scope and time, and every lease, timeout and expiry follows virtual time:
 * `Signalbox.inMemoryQuorum(InMemoryMasters(timeSource = testTimeSource), backgroundScope)`. Several clients of the same masters behave like
 * several processes.
 *
 * @param scope where heartbeats and requests run; by default a scope of the client's own. Cancelling it is a crash.
 * @throws IllegalArgumentException if a setting cannot be used.
 */
public fun Signalbox.Companion.inMemoryQuorum(
    masters: InMemoryMasters = InMemoryMasters(),
    scope: CoroutineScope? = null,
    configure: QuorumSettings.() -> Unit = {},
): SignalboxQuorum = Connecting.inMemory(masters, scope, QuorumSettings().apply(configure))
