package io.signalbox.internal.coordination

import io.signalbox.internal.ledger.LedgerFailure
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** Repeats [request], which changes nothing or can be repeated, until it is answered; for at most the store timeout, then [unavailable]. */
internal suspend fun <T> CoordinationSettings.retrying(
    unavailable: (last: Throwable?) -> Exception,
    request: suspend () -> T,
): T {
    var problem: LedgerFailure? = null
    var attempt = 0
    var result: Result<T>? = null
    withTimeoutOrNull(storeTimeoutMillis.milliseconds) {
        while (result == null) {
            try {
                result = Result.success(request())
            } catch (failure: LedgerFailure) {
                if (failure.final) throw failure.error
                problem = failure
                delay(backoffNanos(attempt++).nanoseconds)
            }
        }
    }
    return result.let { if (it != null) it.getOrThrow() else throw unavailable(problem?.error) }
}
