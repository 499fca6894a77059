package io.signalbox

import io.signalbox.internal.runWithPermit
import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.DisposableHandle

/**
 * One grant of a [Semaphore]: one or several permits, a fencing token and the duty to give them back.
 *
 * Prefer [withPermit]. Safe to use from any thread and coroutine; it does not belong to the coroutine that acquired it.
 */
public interface Permit {
    /** The name of the semaphore. */
    public val name: String

    /**
     * Larger than the token of every earlier grant of this semaphore, in every process, over restarts of the server too
     * as long as its clock is not behind. Give it to whatever the permit protects, and have that refuse a smaller token
     * than the largest it has seen. Always below 2^53, so it survives JSON and doubles.
     */
    public val fencingToken: Long

    /** How many permits this grant holds. */
    public val permits: Int

    /**
     * How many permits of the semaphore were held right after this grant, these included. In a [SemaphoreAlgorithm.Pool] an upper bound that
     * can exceed the number of permits: it counts permits that an acquire of several is gathering, and those of the dead until they are found.
     */
    public val holdersAtGrant: Int

    /**
     * Whether this permit was lost: the client could not renew its lease, or the max hold passed. Never becomes false again.
     * Becomes true before the server can give the permit to somebody else, by this client's monotonic clock. Stays as it was
     * after [release].
     */
    public val isLost: Boolean

    /**
     * Calls [action] when the permit is lost; at once if it already is; never if it was released before. At most one call,
     * on a thread of the library: [action] must return quickly and must not block.
     *
     * @return a handle that takes the registration back.
     */
    public fun onLost(action: () -> Unit): DisposableHandle

    /**
     * Gives the permit back and suspends until the server has heard of it; returns at once if it is handed on to a waiter of this client, whose
     * turn it is. Blocks ([withPermit], [use]) do not wait; use this one when order between processes matters.
     *
     * The request is on its way before the first suspension: cancelling the caller ends the wait, never the release. If the
     * server cannot be reached, or refuses it, it is said again until it is carried out or the lease is over, which ends the wait at the latest.
     *
     * @return whether the permit was still held; `false` if it had been lost, and somebody else may hold it now.
     * @throws SignalboxClosedException if the client is closed and the server does not confirm the release within
     *   [SignalboxSettings.storeTimeout]: nobody knows then whether it was still held. It is free when the lease ends, at the latest.
     * @throws IllegalStateException on a second call: that is a bug of the caller.
     */
    public suspend fun release(): Boolean

    /**
     * Moves the max hold of this permit to [hold] from now, by the server's clock.
     *
     * @param hold from 1 ms to 365 days.
     * @return whether the permit was still held; `false` if it had been lost.
     * @throws IllegalStateException if the semaphore has no [SemaphoreSettings.maxHold], or the permit was released.
     * @throws StoreUnavailableException if the server does not answer within [SignalboxSettings.storeTimeout].
     * @throws SignalboxClosedException if the client is closed.
     */
    public suspend fun extend(hold: Duration): Boolean
}

/**
 * Runs [block] and gives this permit back on every path, without waiting for the server; [Semaphore.withPermit] without the acquire. Use
 * [Permit.release] when order between processes matters.
 *
 * @throws LeaseLostException if the permit was lost before the block ended, whatever the block made of it.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND") // Once, in a scope that ends before this function, or it throws.
public suspend fun <T> Permit.use(block: suspend CoroutineScope.(Permit) -> T): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return runWithPermit(this, block)
}
