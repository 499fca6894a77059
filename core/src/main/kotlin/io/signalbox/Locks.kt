package io.signalbox

import kotlin.contracts.ExperimentalContracts
import kotlin.contracts.InvocationKind
import kotlin.contracts.contract
import kotlin.time.Duration
import kotlinx.coroutines.CoroutineScope

/**
 * Runs [block] while holding all of [mutexes], which are locked one after the other in the order of their names and given back in the opposite one: whoever
 * locks several by this function, in any process, waits for nobody who waits for him. Locks that are taken around or inside of it by other
 * calls are not ordered; take all that are needed at once, the most contended with the last name.
 *
 * Each is a lock of its own, with its own lease and token. If one is lost the block is cancelled, and the exception names that one; the others are given back.
 * While this waits for one it holds those before it.
 *
 * @param mutexes at least one, of one client, no two of one name. [block] gets their permits in this order.
 * @param timeout for each of them; infinite (the default) waits for ever.
 * @throws IllegalArgumentException if there are none, or two of one name.
 * @throws AcquireTimeoutException if one was not granted in time; none is held then.
 * @throws LeaseLostException if one was lost before the block ended, whatever the block made of it.
 */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> withLocks(
    mutexes: List<Mutex>,
    timeout: Duration = Duration.INFINITE,
    block: suspend CoroutineScope.(List<Permit>) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    require(mutexes.isNotEmpty()) { "mutexes must not be empty." }
    val twice = mutexes.groupBy { it.name }.values.firstOrNull { it.size > 1 }
    require(twice == null) { "mutexes must have different names, but there are ${twice!!.size} named '${twice[0].name}'." }
    return lockNext(mutexes.sortedBy { it.name }, HashMap(), timeout) { held -> block(mutexes.map { held.getValue(it.name) }) }
}

/** [withLocks] without a time limit. */
@OptIn(ExperimentalContracts::class)
@Suppress("LEAKED_IN_PLACE_LAMBDA", "WRONG_INVOCATION_KIND")
public suspend fun <T> withLocks(
    vararg mutexes: Mutex,
    block: suspend CoroutineScope.(List<Permit>) -> T,
): T {
    contract { callsInPlace(block, InvocationKind.EXACTLY_ONCE) }
    return withLocks(mutexes.asList(), block = block)
}

private suspend fun <T> lockNext(
    left: List<Mutex>,
    held: HashMap<String, Permit>,
    timeout: Duration,
    block: suspend CoroutineScope.(Map<String, Permit>) -> T,
): T {
    val next = left.first()
    return next.withLock(timeout) { permit ->
        held[next.name] = permit
        if (left.size == 1) block(held) else lockNext(left.drop(1), held, timeout, block)
    }
}
