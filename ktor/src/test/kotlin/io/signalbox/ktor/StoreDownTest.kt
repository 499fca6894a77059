package io.signalbox.ktor

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldNotContain
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.server.testing.testApplication
import io.signalbox.testkit.FaultProxy
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.topic
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred

private val Notes = topic<String>("store-down-notes")

class StoreDownTest :
    FunSpec({
        test("an application starts while Redis is down, says so, and works as soon as it is up") {
            FaultProxy(RedisServer.shared()).use { proxy ->
                proxy.refuseConnections()
                testApplication {
                    val handled = CompletableDeferred<String>()
                    install(Signalbox) {
                        redis = "redis://127.0.0.1:${proxy.port}"
                        namespace = "ktor-store-down"
                        timers { on(Notes) { handled.complete(it) } }
                    }
                    routing {
                        signalboxHealth(timeout = 100.milliseconds)
                        limitConcurrency("exports", permits = 1, configure = { storeTimeout = 100.milliseconds }) {
                            get("/export") { call.respondText("done") }
                        }
                        limitConcurrency("patient", permits = 1, wait = 100.milliseconds) {
                            get("/patient") { call.respondText("done") }
                        }
                    }
                    var inside: Application? = null
                    application { inside = this }
                    startApplication()

                    client.get("/health/signalbox").run {
                        status shouldBe HttpStatusCode.ServiceUnavailable
                        bodyAsText() shouldContain "DOWN"
                        bodyAsText() shouldNotContain "127.0.0.1"
                    }
                    for (path in listOf("/export", "/patient")) {
                        val asked = TimeSource.Monotonic.markNow()
                        val answer = client.get(path)
                        answer.status shouldBe HttpStatusCode.ServiceUnavailable
                        answer.bodyAsText() shouldContain "store_unavailable"
                        answer.headers["Retry-After"] shouldBe null
                        asked.elapsedNow() shouldBeLessThan 5.seconds
                    }

                    proxy.refuseConnections(false)
                    until { client.get("/health/signalbox").status == HttpStatusCode.OK }
                    for (path in listOf("/export", "/patient")) until { client.get(path).status == HttpStatusCode.OK }
                    inside!!.timers.schedule(Notes, "1", "late", after = Duration.ZERO)
                    handled.await() shouldBe "late"
                }
            }
        }
    })
