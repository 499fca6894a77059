package io.signalbox.internal

import io.signalbox.LeaseLostException
import io.signalbox.Permit
import io.signalbox.internal.coordination.LeasedPermit
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * Runs [block] in a scope that is cancelled when [permit] is lost, then releases it.
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
        if (permit is LeasedPermit<*>) permit.letGo() else withContext(NonCancellable) { permit.release() }
        if (lost) {
            currentCoroutineContext().ensureActive()
            throw leaseLost(permit, failure)
        }
    }
}

private fun nameOf(permit: Permit) = if (permit is LeasedPermit<*>) permit.subject.toString() else "semaphore '${permit.name}'"

private fun leaseLost(
    permit: Permit,
    failure: Throwable?,
) = LeaseLostException(
    permit.name,
    permit.fencingToken,
    "Permit ${permit.fencingToken} of ${nameOf(permit)} was lost before the block ended: its lease could not be renewed in " +
        "time, its max hold passed, or the client was closed. Somebody else may hold it now; have what it protects refuse older " +
        "fencing tokens.",
    failure.takeUnless { it is CancellationException },
)
