package io.signalbox

import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope

/**
 * A counting semaphore shared by every process that uses the same server, namespace and name.
 *
 * At most [permits] unexpired permits exist at any instant of the server. Permits are granted strictly in the order in
 * which acquires reached the server (FIFO by ticket, across processes, no barging): an acquire of several permits at the
 * head of the queue holds back smaller ones behind it.
 *
 * A permit lives as long as its client talks to the server: for one lease after the last exchange, renewed in the
 * background, or until its max hold. Every grant carries a fencing token larger than every earlier one of this semaphore.
 *
 * No function blocks a thread. All are cancellable, with prompt cancellation: a permit granted to a coroutine that was
 * cancelled before it could see it is given back, and a cancelled or timed-out acquire leaves the queue.
 *
 * All members throw [SignalboxClosedException] after the client was closed.
 */
public interface Semaphore {
    /** The name given to [Signalbox.semaphore] or [Signalbox.attach]. */
    public val name: String

    /**
     * Acquires [permits] permits at once, atomically, suspending until they are granted.
     *
     * Waits as long as [SemaphoreSettings.acquireTimeout] allows, for ever by default. Once it has a place in the queue it
     * also waits through an outage of the server.
     *
     * @param permits at least 1; more than the semaphore has fails at once (with 0 permits declared, 1 may wait for [resize]).
     * @throws AcquireTimeoutException if [SemaphoreSettings.acquireTimeout] is finite and passes.
     * @throws TooManyWaitersException if as many wait as [SemaphoreSettings.maxWaiters] or [SignalboxSettings.maxWaiters] allows; at once.
     * @throws StoreUnavailableException if the server does not take the request within [SignalboxSettings.storeTimeout].
     * @throws IllegalArgumentException if [permits] can never be granted, now or after a [resize] made the semaphore smaller.
     */
    public suspend fun acquire(permits: Int = 1): Permit

    /**
     * [acquire] that gives up after [timeout].
     *
     * @param timeout zero or more; zero is one attempt that does not wait, infinite waits for ever. It is time of the client, whoever calls: of the wall
     *   for a server, also under `runTest`; of the scope given to [Signalbox.inMemory] in memory.
     * @throws AcquireTimeoutException if the permits were not granted in time, because others have them; the place in the queue is given up.
     * @throws StoreUnavailableException if they were not, because the store was away: it has answered nothing since this call began. Where the
     *   connection stays and only silence tells (a server that hangs, a network that carries nothing), half a second of it is taken for an outage:
     *   a shorter [timeout] then says that others have them.
     */
    public suspend fun acquire(
        permits: Int = 1,
        timeout: Duration,
    ): Permit

    /**
     * Acquires [permits] permits if they are free and nobody waits for them, in one round trip; otherwise returns `null`, also if a [resize]
     * has left fewer than that.
     *
     * @throws IllegalArgumentException if there were never so many: neither now nor when the semaphore was created.
     * @throws StoreUnavailableException if the server gives no answer within [SignalboxSettings.storeTimeout].
     */
    public suspend fun tryAcquire(permits: Int = 1): Permit?

    /**
     * [acquire] that returns `null` when [timeout] passes first, because others have the permits, or at once if a [resize] leaves fewer
     * permits than that.
     *
     * @param timeout zero or more; zero is [tryAcquire] without waiting, infinite waits for ever. See the other [acquire] for whose time it is.
     * @throws StoreUnavailableException if the time passed because the store was away: it has answered nothing since this call began. A server that
     *   is there and silent is told from half a second on: with a shorter [timeout] the answer is `null`.
     */
    public suspend fun tryAcquire(
        permits: Int = 1,
        timeout: Duration,
    ): Permit?

    /**
     * [acquire] whose grant may be held for at most [maxHold], whatever [SemaphoreSettings.maxHold] says.
     *
     * @param timeout as of the other [acquire]; `null` (the default) for [SemaphoreSettings.acquireTimeout].
     * @param maxHold 1 ms to 365 days, by the server's clock; infinite for no limit.
     */
    public suspend fun acquire(
        permits: Int = 1,
        timeout: Duration? = null,
        maxHold: Duration,
    ): Permit

    /** [tryAcquire] whose grant may be held for at most [maxHold]; see [acquire]. By default it does not wait. */
    public suspend fun tryAcquire(
        permits: Int = 1,
        timeout: Duration = Duration.ZERO,
        maxHold: Duration,
    ): Permit?

    /**
     * [acquire] that keeps others out for at least [minHold] from the grant on: for a job that several processes start at about the same time, each by its own
     * clock. Given back sooner, the permit is the caller's no more, and nobody else's until then.
     *
     * [Permit.release] waits for that no more than the end of a block does, and returns `true`. From then on the server keeps the permit, also when the client is
     * closed or its process ends; closing a client that holds it gives it back in the same way. Whoever ends without either has said nothing: then the
     * permit is free one lease after its last exchange, as ever. What the server has lost is not kept. A [snapshot] lists what is kept
     * ([SemaphoreSnapshot.Holder.isKept]), and [revoke] frees it at once; what is revoked while it is held is not kept.
     *
     * It costs a round trip for each permit given back, which is not handed on within the process.
     *
     * @param timeout as of the other [acquire]; `null` (the default) for [SemaphoreSettings.acquireTimeout].
     * @param maxHold `null` (the default) for [SemaphoreSettings.maxHold]; with a minimum, infinite is 365 days.
     * @param minHold zero, for none, to [maxHold], by the server's clock.
     * @throws IllegalArgumentException if [minHold] is negative, infinite, or longer than [maxHold]; nothing was asked for then.
     * @throws UnsupportedOperationException at a [SemaphoreAlgorithm.Pool], unless [minHold] is zero.
     */
    public suspend fun acquire(
        permits: Int = 1,
        timeout: Duration? = null,
        maxHold: Duration? = null,
        minHold: Duration,
    ): Permit

    /** [tryAcquire] that keeps others out for at least [minHold]; see [acquire]. By default it does not wait. */
    public suspend fun tryAcquire(
        permits: Int = 1,
        timeout: Duration = Duration.ZERO,
        maxHold: Duration? = null,
        minHold: Duration,
    ): Permit?

    /** The current number of permits: the declared count, or what [resize] and [addPermits] made of it. One round trip. */
    public suspend fun permits(): Int

    /** How many permits could be acquired now; 0 while more are held than a [resize] has left, and in quarantine. One round trip. */
    public suspend fun availablePermits(): Int

    /** Whether [tryAcquire] of one permit would be refused now: none is free, others wait for them, or it is in
     * quarantine. One round trip. */
    public suspend fun isLocked(): Boolean

    /**
     * Who holds and who waits, at one instant of the server.
     *
     * @param limit how many holders, and how many waiters, to list at most, 1 to 10 000; the counts are always complete.
     */
    public suspend fun snapshot(limit: Int = 1000): SemaphoreSnapshot

    /**
     * Sets the current number of permits, for every process.
     *
     * Growing grants to the queue at once. Shrinking revokes nothing: holders keep their permits, the surplus is withdrawn
     * as it comes back; acquires in the queue that no longer fit fail. The declared count, which [Signalbox.semaphore]
     * compares, stays.
     *
     * @param permits 0 to [MAX_PERMITS].
     */
    public suspend fun resize(permits: Int)

    /**
     * Changes the declaration: [permits] is the declared count from now on, for every process, and the current one as by [resize]. So clients that declare
     * it can start, and those that run go on, whatever they declared. Of other versions of a service see [OnMismatch].
     *
     * @param permits 0 to [MAX_PERMITS].
     */
    public suspend fun redeclare(permits: Int)

    /**
     * Takes a permit from whoever holds it: for an operator, when a holder hangs but its client lives. Its client is told, loses the permit, cancels the
     * block, and says so; [LeaseLostException] names [LossReason.REVOKED] and the label of this client.
     *
     * Suspends until that is done. A client that has not obeyed within [patience] loses its whole session at this semaphore, all its permits with it (of several permits in one grant, or of one with a max hold, only
     * that grant): it does not run any more, or is of a version that knows no orders. Then somebody else may be granted them while the old holder still runs; its fencing token is older.
     *
     * @param fencingToken as a [snapshot] shows it. One that was granted a moment ago, or belongs to a client with more than a hundred, may not be found.
     * @param patience `null` (the default) for this client's lease: a client without waiters hears of it with its next heartbeat, which comes every third of its own.
     * @return whether it was held; `false` if nobody holds it.
     * @throws UnsupportedOperationException at a [SemaphoreAlgorithm.Pool].
     */
    public suspend fun revoke(
        fencingToken: Long,
        patience: Duration? = null,
    ): Boolean

    /**
     * Ends the semaphore for everybody now: what is stored is forgotten but for its last fencing token, holders lose their permits ([LossReason.DELETED]), and who
     * waits fails with [DeletedException]. Other clients hear of it at once if they wait, else with their next heartbeat; until then their blocks run on.
     *
     * Handles stay usable: the next use of one that declares a count creates the semaphore anew, with larger fencing tokens. Clients of a version that cannot hear of it
     * put back what they hold.
     *
     * @return whether there was one.
     * @throws UnsupportedOperationException at a [SemaphoreAlgorithm.Pool].
     */
    public suspend fun delete(): Boolean

    /**
     * Adds [permits] to the current number, for every process; exactly once, even if the connection fails in between.
     *
     * @param permits at least 1; the sum may not exceed [MAX_PERMITS].
     * @return the new number of permits.
     * @throws IllegalStateException if the semaphore is bounded (see [SemaphoreSettings.bounded]): use [resize].
     * @throws StoreUnavailableException if the server lost its data before it answered; the text says whether it is known
     *   what happened.
     */
    public suspend fun addPermits(permits: Int): Int

    public companion object {
        /** The largest number of permits of one semaphore: 1 000 000 000. */
        public const val MAX_PERMITS: Int = 1_000_000_000
    }
}

/**
 * Runs [block] with [permits] permits and gives them back on every path, without waiting for the server: acquire and [Permit.release] are for
 * whoever needs an order between processes, as when another one is told of the end of the block and its [Semaphore.tryAcquire] must succeed.
 *
 * The block's result is delayed by no round trip and no outage, and lost to no error of the store. The permit is handed on to the next waiter of
 * this client if it is its turn, or its return is said until the server has heard of it. Whatever this client asks of this semaphore later
 * finds it given back; nested blocks of two semaphores may become free in the other order elsewhere. A process that ends within a round trip of
 * its last block should [close][Signalbox.closeAndJoin] the client: else the permit may come free a lease later.
 *
 * The block runs in a scope of its own, which is cancelled if the permit is lost (its lease could not be renewed, or its
 * max hold passed), before the server can give the permit to somebody else. Use [Permit.fencingToken] with whatever the block
 * writes to: a block that ignores cancellation, or a process that was frozen, can only be stopped there.
 *
 * @return what [block] returns.
 * @throws LeaseLostException if the permit was lost before the block ended, whatever the block made of it.
 * @see Semaphore.acquire for what else can be thrown before [block] is called.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND") // Once, in a scope that ends before this function, or it throws.
public suspend fun <T> Semaphore.withPermit(
    permits: Int = 1,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return acquire(permits).use(block)
}

/**
 * [withPermit] with a time limit for the acquire, not for the block.
 *
 * @param timeout zero is one attempt that does not wait; infinite waits for ever.
 * @throws AcquireTimeoutException if the permits were not granted in time; [block] was not called. [tryWithPermit] returns that instead.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Semaphore.withPermit(
    permits: Int = 1,
    timeout: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return acquire(permits, timeout).use(block)
}

/**
 * [withPermit] whose permits may be held for at most [maxHold]: at that moment they are lost, and the block is cancelled.
 *
 * @param timeout of the acquire; `null` (the default) for [SemaphoreSettings.acquireTimeout].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Semaphore.withPermit(
    permits: Int = 1,
    timeout: Duration? = null,
    maxHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return acquire(permits, timeout, maxHold).use(block)
}

/**
 * [withPermit] that keeps others out for at least [minHold], however soon [block] ends; see [Semaphore.acquire]. It returns with the block.
 *
 * @param timeout of the acquire; `null` (the default) for [SemaphoreSettings.acquireTimeout].
 * @param maxHold `null` (the default) for [SemaphoreSettings.maxHold]; with a minimum, infinite is 365 days.
 * @param minHold zero, for none, to [maxHold].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Semaphore.withPermit(
    permits: Int = 1,
    timeout: Duration? = null,
    maxHold: Duration? = null,
    minHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return acquire(permits, timeout, maxHold, minHold).use(block)
}

/**
 * [withPermit] that says by its result whether the permits were granted within [timeout]: so a block that returned `null` is told apart from one that was
 * not called.
 *
 * ```
 * val report = reports.tryWithPermit(timeout = 2.seconds) { render() }.getOrElse { lastReport }
 * ```
 *
 * @param timeout of the acquire. By default it does not wait.
 * @throws StoreUnavailableException if they were not granted because the store was away.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Semaphore.tryWithPermit(
    permits: Int = 1,
    timeout: Duration = Duration.ZERO,
    block: suspend CoroutineScope.(Permit) -> T,
): Attempt<T> {
    contract { callsInPlace(block, InvocationKind.AT_MOST_ONCE) }
    val permit = tryAcquire(permits, timeout) ?: return Attempt.NotInTime
    return Attempt.Ran(permit.use(block))
}

/**
 * [tryWithPermit] that keeps others out for at least [minHold], however soon [block] ends; see [Semaphore.acquire].
 *
 * @param timeout of the acquire. By default it does not wait.
 * @param maxHold `null` (the default) for [SemaphoreSettings.maxHold]; with a minimum, infinite is 365 days.
 * @param minHold zero, for none, to [maxHold].
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> Semaphore.tryWithPermit(
    permits: Int = 1,
    timeout: Duration = Duration.ZERO,
    maxHold: Duration? = null,
    minHold: Duration,
    block: suspend CoroutineScope.(Permit) -> T,
): Attempt<T> {
    contract { callsInPlace(block, InvocationKind.AT_MOST_ONCE) }
    val permit = tryAcquire(permits, timeout, maxHold, minHold) ?: return Attempt.NotInTime
    return Attempt.Ran(permit.use(block))
}
