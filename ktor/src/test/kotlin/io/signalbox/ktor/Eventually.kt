package io.signalbox.ktor

import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.withTimeoutOrNull

/** Looks until it is so: for what another process, or the other end of a connection, does. */
internal suspend fun until(
    timeout: Duration = 30.seconds,
    condition: suspend () -> Boolean,
) {
    val met =
        withTimeoutOrNull(timeout) {
            while (!condition()) delay(2.milliseconds)
            true
        }
    check(met == true) { "It was not so within $timeout." }
}
