package io.signalbox.quorum

import io.signalbox.AcquireTimeoutException
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.use
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope

/**
 * A counting semaphore that a majority of independent masters keeps. Made by [SignalboxQuorum.semaphore].
 *
 * At most [permits] unexpired permits exist at any moment, whichever minority of the masters is down, cut off or came back empty. Every permit
 * is one of [permits] slots, and each slot is held by a majority of its own. Who waits is told of a slot that comes free; who has waited longest
 * is likely to be next, but nothing promises it.
 *
 * A permit lives as long as a majority renews it. Its fencing token is unique, and larger than that of every grant which was complete before its
 * acquire began; of two acquires that overlap either may have the larger one. See [Permit.fencingToken] for what to do with it.
 *
 * No function blocks a thread. All are cancellable, with prompt cancellation: a permit granted to a coroutine that was cancelled before it could
 * see it is given back. All members throw [SignalboxClosedException] after the client was closed.
 */
public interface QuorumSemaphore {
    /** The name given to [SignalboxQuorum.semaphore]. */
    public val name: String

    /**
     * Acquires a permit, suspending until it is granted; as long as [QuorumSemaphoreSettings.acquireTimeout] allows, for ever by default. Once a
     * majority has answered it also waits through an outage of the majority, and while masters that lost their data do not vote.
     *
     * @throws AcquireTimeoutException if [QuorumSemaphoreSettings.acquireTimeout] is finite and passes.
     * @throws StoreUnavailableException if no majority answers within [QuorumSettings.storeTimeout], or a single master does not with
     *   [MasterErrors.THROW].
     */
    public suspend fun acquire(): Permit

    /**
     * [acquire] that gives up after [timeout].
     *
     * @param timeout zero or more; zero is one attempt that does not wait, infinite waits for ever. Time of the client, whoever calls.
     * @throws AcquireTimeoutException if nothing was granted in time, because others have the permits.
     * @throws StoreUnavailableException if nothing was, because no majority has answered since this call began.
     */
    public suspend fun acquire(timeout: Duration): Permit

    /**
     * Acquires a permit if one is free, otherwise returns `null`; so it does while no majority votes. Several round trips if others ask for the same
     * slots at that moment, and `null` if they are always faster.
     *
     * @throws StoreUnavailableException if no majority answers within [QuorumSettings.storeTimeout].
     */
    public suspend fun tryAcquire(): Permit?

    /**
     * [acquire] that returns `null` when [timeout] passes first, because others have the permits.
     *
     * @param timeout zero or more; zero is [tryAcquire] without waiting, infinite waits for ever.
     * @throws StoreUnavailableException if no majority has answered since this call began.
     */
    public suspend fun tryAcquire(timeout: Duration): Permit?

    /** The current number of permits: the declared count, or what [resize] made of it. One round trip. */
    public suspend fun permits(): Int

    /** How many permits could be acquired now; 0 while no majority votes. A look: it may have changed at once. One round trip. */
    public suspend fun availablePermits(): Int

    /** Whether [tryAcquire] would be refused now: none is free, others wait for them, or no majority votes. One round trip. */
    public suspend fun isLocked(): Boolean

    /**
     * Who holds and who waits, and how the masters are. Each master is read at a moment of its own, those that answer in time.
     *
     * @param limit how many waiters to count at most, 1 to 10 000.
     */
    public suspend fun snapshot(limit: Int = 1000): QuorumSnapshot

    /**
     * Sets the current number of permits, for every process.
     *
     * When it returns, a majority knows the new number: no acquire that begins later gets a slot beyond it, and other masters learn of it from
     * whoever talks to them. Growing tells those who wait. Shrinking revokes nothing: whose slot is beyond the new
     * number keeps it until its release, *beside* those that hold the slots which are left. So for that long more may hold than [permits] says, but
     * never more than before. Of two that overlap one wins, for all. The declared count, which [SignalboxQuorum.semaphore] compares, stays.
     *
     * @param permits 1 to [MAX_PERMITS].
     * @throws StoreUnavailableException if no majority answers within [QuorumSettings.storeTimeout]; it may become known later then.
     */
    public suspend fun resize(permits: Int)

    public companion object {
        /** The largest number of permits of one semaphore: 1024. */
        public const val MAX_PERMITS: Int = 1024
    }
}

/**
 * Runs [block] with a permit and gives it back on every path, without waiting for the masters. See [io.signalbox.withPermit], which this is for a
 * quorum: the block runs in a scope of its own, which is cancelled if the permit is lost, before a majority can give it to somebody else.
 *
 * @return what [block] returns.
 * @throws LeaseLostException if the permit was lost before the block ended, whatever the block made of it.
 * @see QuorumSemaphore.acquire for what else can be thrown before [block] is called.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND") // Once, in a scope that ends before this function, or it throws.
public suspend fun <T> QuorumSemaphore.withPermit(block: suspend CoroutineScope.(Permit) -> T): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return acquire().use(block)
}
