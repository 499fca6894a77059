package io.signalbox.internal.coordination

import io.signalbox.internal.described
import io.signalbox.internal.ledger.LedgerFailure
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull
import org.slf4j.LoggerFactory

private val log = LoggerFactory.getLogger(CoordinationSettings::class.java)
private const val QUIET_NANOS = 10_000L * CoordinationSettings.NANOS
private const val AWAY = "The store does not answer as it should; trying for {} (storeTimeout, unless the call has a limit of its own): {}"

/** Whether nothing was said for so long that it is news again: calls that fail at the same time, for the same reason, are one. */
private fun CoordinationSettings.mayWarn(): Boolean {
    val now = System.nanoTime()
    val last = warnedAt.get()
    return (last == 0L || now - last > maxOf(storeTimeoutNanos, QUIET_NANOS)) && warnedAt.compareAndSet(last, now)
}

/** Repeats [request], which changes nothing or can be repeated, until it is answered; for at most [limit], then [unavailable]. */
internal suspend fun <T> CoordinationSettings.retrying(
    unavailable: (last: Throwable?) -> Exception,
    limit: Duration = storeTimeoutMillis.milliseconds,
    request: suspend () -> T,
): T = time.run { retried(unavailable, limit, request) }

private suspend fun <T> CoordinationSettings.retried(
    unavailable: (last: Throwable?) -> Exception,
    limit: Duration,
    request: suspend () -> T,
): T {
    var problem: LedgerFailure? = null
    var attempt = 0
    var result: Result<T>? = null
    withTimeoutOrNull(limit) {
        while (result == null) {
            try {
                result = Result.success(request())
            } catch (failure: LedgerFailure) {
                if (failure.final) throw failure.error
                // Once more, because another server may be the primary by now.
                if (failure.refused && problem?.refused == true) throw failure.told()
                if (problem == null && mayWarn()) log.warn(AWAY, limit, described(failure.error))
                problem = failure
                delay(backoffNanos(attempt++).nanoseconds)
            }
        }
    }
    return result.let { if (it != null) it.getOrThrow() else throw unavailable(problem?.error) }
}
