package io.signalbox.ktor

import io.ktor.server.plugins.statuspages.StatusPagesConfig
import io.signalbox.AcquireTimeoutException
import io.signalbox.EventTimeoutException
import io.signalbox.LeaseLostException
import io.signalbox.SignalboxClosedException
import io.signalbox.StoreUnavailableException
import io.signalbox.TooManyWaitersException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * Answers what handlers let pass of this library's exceptions in the way of [limitConcurrency]: 503 with the [Rejection] that it comes to.
 *
 * ```
 * install(StatusPages) { signalbox() }
 * ```
 *
 * Those that say that the program is wrong, as [io.signalbox.PermitsMismatchException] does, stay what they are. Needs Ktor's `ktor-server-status-pages`.
 *
 * @param retryAfter what `Retry-After` says where trying again helps; rounded up to seconds.
 */
public fun StatusPagesConfig.signalbox(retryAfter: Duration = 1.seconds) {
    exception<AcquireTimeoutException> { call, _ -> call.respondRejection(Rejection.BUSY, retryAfter) }
    exception<TooManyWaitersException> { call, _ -> call.respondRejection(Rejection.TOO_MANY_WAITING, retryAfter) }
    exception<EventTimeoutException> { call, _ -> call.respondRejection(Rejection.BUSY, retryAfter) }
    exception<StoreUnavailableException> { call, _ -> call.respondRejection(Rejection.STORE_UNAVAILABLE, retryAfter) }
    exception<LeaseLostException> { call, _ -> call.respondRejection(Rejection.LEASE_LOST, retryAfter) }
    exception<SignalboxClosedException> { call, _ -> call.respondRejection(Rejection.STOPPING, retryAfter) }
}
