package io.signalbox.ktor

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.ktor.server.application.install
import io.ktor.server.cio.CIO
import io.ktor.server.engine.ApplicationEngine
import io.ktor.server.engine.ApplicationEngineFactory
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.signalbox.Signalbox as Client
import java.net.Socket
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred

/** A request on a connection of its own. */
private class Visitor(
    port: Int,
) : AutoCloseable {
    private val socket = Socket("127.0.0.1", port)

    init {
        socket.getOutputStream().apply {
            write("GET /export HTTP/1.1\r\nHost: localhost\r\n\r\n".toByteArray())
            flush()
        }
    }

    /** Reads until there is [text]; the connection is kept for more, as by browsers. */
    fun awaitAnswer(text: String) {
        val answer = StringBuilder()
        while (text !in answer) {
            val next = socket.getInputStream().read()
            check(next >= 0) { "The answer was not $text, but:\n$answer" }
            answer.append(next.toChar())
        }
    }

    /** Goes away, and says so. */
    override fun close() = socket.close()
}

class DisconnectTest :
    FunSpec({
        suspend fun <E : ApplicationEngine, C : ApplicationEngine.Configuration> onEngine(factory: ApplicationEngineFactory<E, C>) {
            val client = Client.inMemory()
            val exports = client.semaphore("exports", permits = 1)
            val door = CompletableDeferred<Unit>()
            val server =
                embeddedServer(factory, port = 0, host = "127.0.0.1") {
                    install(Signalbox) { use(client) }
                    routing {
                        limitConcurrency("exports", permits = 1, wait = 60.seconds) {
                            get("/export") {
                                door.await()
                                call.respondText("done")
                            }
                        }
                    }
                }.start()
            try {
                val port = server.engine.resolvedConnectors().first().port
                Visitor(port).use { first ->
                    until { exports.snapshot().heldPermits == 1 }
                    val second = Visitor(port)
                    Visitor(port).use { third ->
                        until { exports.snapshot().queueLength == 2 }
                        second.close()
                        until { exports.snapshot().queueLength == 1 }
                        door.complete(Unit)
                        first.awaitAnswer("done")
                        third.awaitAnswer("done")
                    }
                }
                // One that runs is cancelled.
                until { exports.snapshot().heldPermits == 0 }
            } finally {
                server.stop(0, 1000)
            }
            client.isClosed() shouldBe true
        }

        test("a request whose client goes away leaves the queue, on Netty") { onEngine(Netty) }

        test("a request whose client goes away leaves the queue, on CIO") { onEngine(CIO) }

        test("requests that wait are told that the instance ends, and leave its grace period to those that run") {
            val client = Client.inMemory()
            val exports = client.semaphore("exports", permits = 1)
            val door = CompletableDeferred<Unit>()
            val server =
                embeddedServer(CIO, port = 0, host = "127.0.0.1") {
                    install(Signalbox) { use(client) }
                    routing {
                        limitConcurrency("exports", permits = 1, wait = 60.seconds) {
                            get("/export") {
                                door.await()
                                call.respondText("done")
                            }
                        }
                    }
                }.start()
            val port = server.engine.resolvedConnectors().first().port
            Visitor(port).use { first ->
                until { exports.snapshot().heldPermits == 1 }
                Visitor(port).use { second ->
                    until { exports.snapshot().queueLength == 1 }
                    val stopping = Thread { server.stop(5000, 10_000) }.apply { start() }
                    second.awaitAnswer("\"reason\":\"stopping\"")
                    door.complete(Unit)
                    first.awaitAnswer("done")
                    stopping.join()
                }
            }
        }
    })

private suspend fun Client.isClosed(): Boolean = runCatching { semaphore("exports", permits = 1) }.isFailure
