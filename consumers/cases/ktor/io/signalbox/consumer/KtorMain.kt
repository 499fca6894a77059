package io.signalbox.consumer

import io.ktor.server.application.ApplicationStopped
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.signalbox.Signalbox
import io.signalbox.testkit.RedisServer
import io.signalbox.withPermit
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse.BodyHandlers
import kotlinx.coroutines.runBlocking

/** A server on the same Netty as the driver. */
fun main() {
    val signalbox = Signalbox.connect(RedisServer.shared().uri)
    val server =
        embeddedServer(Netty, port = 0, host = "127.0.0.1") {
            monitor.subscribe(ApplicationStopped) { signalbox.close() }
            routing {
                get("/") {
                    val semaphore = signalbox.semaphore("ktor", permits = 1)
                    call.respondText(semaphore.withPermit { "token ${it.fencingToken}" })
                }
            }
        }.start()
    val port = runBlocking { server.engine.resolvedConnectors().first().port }
    val answer = HttpClient.newHttpClient().send(HttpRequest.newBuilder(URI("http://127.0.0.1:$port/")).build(), BodyHandlers.ofString())
    check(answer.body().startsWith("token ")) { "${answer.statusCode()}: ${answer.body()}" }
    server.stop(0, 1000)
    runCases()
}
