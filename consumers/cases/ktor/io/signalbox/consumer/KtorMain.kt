package io.signalbox.consumer

import io.ktor.server.application.install
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.signalbox.ktor.Signalbox
import io.signalbox.ktor.limitConcurrency
import io.signalbox.ktor.permit
import io.signalbox.ktor.signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import kotlinx.coroutines.runBlocking

/** A server on the same Netty as the driver. */
fun main() {
    val server =
        embeddedServer(Netty, port = 0, host = "127.0.0.1") {
            install(Signalbox) { redis = RedisServer.shared().uri }
            routing {
                get("/") {
                    val semaphore = call.application.signalbox.semaphore("ktor", permits = 1)
                    call.respondText(semaphore.withPermit { "token ${it.fencingToken}" })
                }
                limitConcurrency("ktor-limited", permits = 1) { get("/limited") { call.respondText("token ${call.permit.fencingToken}") } }
            }
        }.start()
    val port = runBlocking { server.engine.resolvedConnectors().first().port }
    for (path in listOf("", "limited")) {
        val request = HttpRequest.newBuilder(URI("http://127.0.0.1:$port/$path")).build()
        val answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString())
        check(answer.body().startsWith("token ")) { "${answer.statusCode()}: ${answer.body()}" }
    }
    server.stop(0, 1000)
    runCases()
}
