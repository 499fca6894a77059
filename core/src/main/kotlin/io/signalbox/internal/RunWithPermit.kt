package io.signalbox.internal

import io.signalbox.InternalSignalboxApi
import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.internal.coordination.LeasedPermit
import io.signalbox.internal.coordination.PermitState
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * Runs [block] in a scope that is cancelled when [permit] is lost, then lets go of it, which waits for nobody.
 *
 * Order of precedence at the end: cancellation of the caller, loss of the permit, what the block made of it.
 */
internal suspend fun <T> runWithPermit(
    permit: Permit,
    block: suspend CoroutineScope.(Permit) -> T,
): T {
    var failure: Throwable? = null
    try {
        return coroutineScope {
            val registration = permit.onLost { cancel(CancellationException("The permit was lost.")) }
            try {
                ensureActive()
                block(permit)
            } finally {
                registration.dispose()
            }
        }
    } catch (thrown: Throwable) {
        failure = thrown
        throw thrown
    } finally {
        val lost = permit.isLost
        try {
            // Others' permits, as a wrapper in a test, know only how to wait.
            if (permit is LeasedPermit<*>) permit.letGo() else withContext(NonCancellable) { permit.release() }
        } catch (second: Throwable) {
            // Released inside the block as well, for instance: a bug of the caller, told unless the block has failed by itself.
            if (failure == null) throw second
            if (second !== failure) failure.addSuppressed(second)
        }
        if (lost) {
            currentCoroutineContext().ensureActive()
            throw leaseLost(permit, failure)
        }
    }
}

/**
 * Gives this permit back without waiting for anybody: it is handed on, or its return is said until the server has heard of it or the session
 * is over. Returns whether it was held until now.
 *
 * @throws IllegalStateException if it was released before.
 */
@InternalSignalboxApi
public fun Permit.letGo(): Boolean = leased().letGo()

/** Gives back a permit that nobody was there any more to get; without waiting, and without a minimum hold. */
@InternalSignalboxApi
public fun Permit.giveBackUnseen(): Unit = leased().giveBack()

private fun Permit.leased(): LeasedPermit<*> =
    requireNotNull(this as? LeasedPermit<*>) { "A permit must be granted by a semaphore of this library, but was $this." }

/** Whether it is neither released nor lost, as far as this client knows. */
@InternalSignalboxApi
public val Permit.isHeld: Boolean get() = (this as? LeasedPermit<*>)?.state?.let { it == PermitState.HELD } ?: !isLost

private fun nameOf(permit: Permit) = if (permit is LeasedPermit<*>) permit.subject.toString() else "semaphore '${permit.name}'"

/** Of others' permits, as a wrapper in a test, nobody knows. */
private fun lossOf(permit: Permit) =
    (permit as? LeasedPermit<*>)?.run { loss?.text?.plus(revokedBy?.let { " ($it)" }.orEmpty()) } ?: "it says no more than that"

private fun leaseLost(
    permit: Permit,
    failure: Throwable?,
) = LeaseLostException(
    permit.name,
    permit.fencingToken,
    (permit as? LeasedPermit<*>)?.loss?.reason,
    (permit as? LeasedPermit<*>)?.revokedBy,
    "Permit ${permit.fencingToken} of ${nameOf(permit)} was lost before the block ended: ${lossOf(permit)}. " +
        "Somebody else may hold it now; have what it protects refuse older fencing tokens.",
    failure.takeUnless { it is CancellationException },
)
