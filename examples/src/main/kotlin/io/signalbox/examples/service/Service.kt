package io.signalbox.examples.service

import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.plugins.statuspages.StatusPages
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import io.micrometer.prometheusmetrics.PrometheusConfig
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry
import io.signalbox.ktor.Signalbox
import io.signalbox.ktor.limitConcurrency
import io.signalbox.ktor.permit
import io.signalbox.ktor.signalbox
import io.signalbox.ktor.signalboxHealth
import io.signalbox.ktor.timers
import io.signalbox.micrometer.SignalboxMetrics
import io.signalbox.micrometer.TimersMetrics
import io.signalbox.timers.timerRouter
import io.signalbox.timers.topic
import io.signalbox.withLock
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay

val Reminders = topic<String>("reminders")

/** What handlers of timers need of the application. */
class Mail(val instance: String) {
    fun send(text: String) = println("reminded of $text by $instance")
}

val reminders = timerRouter<Mail> {
    on(Reminders) { text -> context.send(text) }
}

/** One instance of a service, of which there may be any number. */
fun Application.service(uri: String, instance: String) {
    // region servicePlugin
    install(Signalbox) {
        redis = uri
        namespace = "billing"
        timers(context = Mail(instance)) { include(reminders) }
    }
    // endregion

    // region serviceMetrics
    val registry = PrometheusMeterRegistry(PrometheusConfig.DEFAULT)
    SignalboxMetrics(signalbox).bindTo(registry)
    TimersMetrics(timers, Reminders).bindTo(registry)
    // endregion

    install(StatusPages) { signalbox() }
    val reports = signalbox.lazyMutex("report")

    // region serviceRoutes
    routing {
        signalboxHealth("/health")
        get("/metrics") { call.respondText(registry.scrape()) }
        limitConcurrency("exports", permits = 5, wait = 2.seconds) {
            get("/export") { call.respondText(export(call.permit.fencingToken)) }
        }
        post("/reminders/{text}") {
            val text = call.parameters["text"]!!
            timers.schedule(Reminders, id = text, text, after = 1.seconds)
            call.respondText("You will be reminded.")
        }
        get("/report") { call.respondText(reports.withLock { permit -> report(permit.fencingToken) }) }
    }
    // endregion
}

/** Takes a while, and says when it was at it, by the clock of the machine. */
private suspend fun export(token: Long): String {
    val begin = System.nanoTime()
    delay(50.milliseconds)
    return "$token $begin ${System.nanoTime()}"
}

private suspend fun report(token: Long): String {
    delay(10.milliseconds)
    return "Report $token"
}
