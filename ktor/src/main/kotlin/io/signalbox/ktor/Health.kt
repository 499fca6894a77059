package io.signalbox.ktor

import io.ktor.http.ContentType
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.application
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.application
import io.ktor.server.routing.get
import io.signalbox.SignalboxException
import io.signalbox.ktor.internal.service
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

/**
 * A route that says whether the server is there: 200 `{"status":"UP", ...}` with the round trip in milliseconds, or 503 `{"status":"DOWN", ...}`, each with the
 * state of the connection. Nothing that it says names a host or a password.
 *
 * For readiness, if the service is of no use without its permits; not for liveness: a process does not get better by being started anew while Redis is down, and
 * would lose what it holds.
 *
 * @param timeout how long the server may take.
 * @throws IllegalStateException if the plugin [Signalbox] is not installed before.
 */
public fun Route.signalboxHealth(
    path: String = "/health/signalbox",
    timeout: Duration = 1.seconds,
): Route {
    val client = application.service.client
    return get(path) {
        val (status, text) =
            try {
                val millis = client.ping(timeout).inWholeMicroseconds / MICROS
                HttpStatusCode.OK to """{"status":"UP","connection":"${client.state.value.name}","roundTripMillis":$millis}"""
            } catch (problem: SignalboxException) {
                call.application.environment.log.debug("The store does not answer", problem)
                HttpStatusCode.ServiceUnavailable to """{"status":"DOWN","connection":"${client.state.value.name}"}"""
            }
        call.respondText(text, ContentType.Application.Json, status)
    }
}

private const val MICROS = 1000.0
