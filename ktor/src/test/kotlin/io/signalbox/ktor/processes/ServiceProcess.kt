package io.signalbox.ktor.processes

import io.ktor.server.application.ApplicationStopping
import io.ktor.server.application.install
import io.ktor.server.engine.connector
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.signalbox.ktor.Signalbox
import io.signalbox.ktor.limitConcurrency
import io.signalbox.ktor.permit
import io.signalbox.ktor.signalbox
import io.signalbox.ktor.signalboxHealth
import io.signalbox.ktor.timers
import io.signalbox.timers.topic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking

internal const val PERMITS = 5
internal val Notes = topic<String>("notes")

/**
 * One instance of a service with a limit: says when a request enters and leaves, with the time of the machine, which is the same for all instances on it.
 *
 * Arguments: URI of the server, lease.
 */
fun main(arguments: Array<String>) {
    val (uri, lease) = arguments
    val server =
        embeddedServer(
            Netty,
            configure = {
                connector {
                    host = "127.0.0.1"
                    port = 0
                }
                shutdownGracePeriod = 100
                shutdownTimeout = 500
            },
        ) {
            install(Signalbox) {
                redis = uri
                this.lease = Duration.parse(lease)
                timers {
                    drainTimeout = 10.seconds
                    on(Notes) { note ->
                        say("handling", 0)
                        delay(4.seconds)
                        // Needs the client still.
                        say("handled $note", application().signalbox.semaphore("late", permits = 1).permits().toLong())
                    }
                }
            }
            holder = this
            // The engine has let its requests go, and what is ours ends now.
            monitor.subscribe(ApplicationStopping) { say("stopping", 0) }
            routing {
                signalboxHealth("/health", timeout = 200.milliseconds)
                get("/note") {
                    call.application.timers.schedule(Notes, "1", "note", after = Duration.ZERO)
                    call.respondText("set")
                }
                limitConcurrency("exports", permits = PERMITS, wait = 20.seconds) {
                    get("/export/{millis}") {
                        val token = call.permit.fencingToken
                        say("enter", token)
                        try {
                            delay(call.parameters["millis"]!!.toLong().milliseconds)
                        } finally {
                            say("leave", token)
                        }
                        call.respondText("$token")
                    }
                }
                limitConcurrency("unhurried", permits = 1) { get("/try") { call.respondText("in") } }
            }
        }.start()
    println("port ${runBlocking { server.engine.resolvedConnectors().first().port }}")
    // Until it is told to end.
    Thread.currentThread().join()
}

private lateinit var holder: io.ktor.server.application.Application

private fun application() = holder

private fun say(
    what: String,
    token: Long,
) = println("$what $token ${System.nanoTime()}")
