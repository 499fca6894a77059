package io.signalbox.ktor

import com.typesafe.config.ConfigFactory
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.Application
import io.ktor.server.application.install
import io.ktor.server.config.ApplicationConfig
import io.ktor.server.config.HoconApplicationConfig
import io.ktor.server.config.MapApplicationConfig
import io.ktor.server.plugins.statuspages.StatusPages
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.server.testing.testApplication
import io.signalbox.Signalbox as Client
import io.signalbox.SignalboxClosedException
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.topic
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred

private val Notes = topic<String>("notes")

/** Starts an application with [config], and returns what [look] sees in it. */
private fun <T : Any> inApplication(
    config: ApplicationConfig = MapApplicationConfig(),
    plugin: SignalboxConfig.() -> Unit = {},
    look: suspend Application.() -> T,
): T {
    lateinit var seen: T
    testApplication {
        environment { this.config = config }
        install(Signalbox, plugin)
        var inside: Application? = null
        application { inside = this }
        startApplication()
        seen = inside!!.look()
    }
    return seen
}

class PluginTest :
    FunSpec({
        test("settings come from application.conf, and code wins") {
            val hocon =
                ConfigFactory.parseString(
                    """signalbox { redis = "${RedisServer.shared().uri}", namespace = "ktor-conf", label = "conf", lease = 20s }""",
                )
            inApplication(HoconApplicationConfig(hocon), { label = "code" }) {
                val permit = signalbox.semaphore("s", permits = 1).acquire()
                val holder = signalbox.semaphore("s", permits = 1).snapshot().holders.single()
                permit.release()
                holder.label to (holder.remainingLease > 10.seconds && holder.remainingLease <= 20.seconds)
            } shouldBe ("code" to true)
            RedisServer.shared().command("KEYS", "ktor-conf:*") shouldContain "ktor-conf:sem:{s}"
        }

        test("unknown keys and unreadable values are named") {
            fun refused(vararg entries: Pair<String, String>) =
                shouldThrow<IllegalArgumentException> { inApplication(MapApplicationConfig(*entries)) { "started" } }.message!!
            refused("signalbox.redsi" to "redis://localhost").run {
                shouldContain("redsi")
                shouldContain("redis, namespace")
            }
            refused(
                "signalbox.lease" to "soon",
            ).shouldContain("signalbox.lease must be a duration such as 30s, 1m 30s or PT30S, but was 'soon'")
            refused("signalbox.runTimers" to "perhaps").shouldContain("signalbox.runTimers must be true or false, but was 'perhaps'")
        }

        test("without the plugin the text says what to do") {
            testApplication {
                application {
                    shouldThrow<IllegalStateException> { signalbox }.message.shouldContain("install(Signalbox)")
                    routing {
                        shouldThrow<IllegalStateException> { limitConcurrency("exports", 1) {} }.message.shouldContain("install(Signalbox)")
                    }
                    install(Signalbox) { use(Client.inMemory()) }
                    shouldThrow<IllegalStateException> { timers }.message.shouldContain("timers { include(router) }")
                }
                startApplication()
            }
        }

        test("the client is closed with the application, after the handlers of timers have ended") {
            val client = Client.inMemory()
            val begun = CompletableDeferred<Unit>()
            val usable = CompletableDeferred<Boolean>()
            inApplication(
                plugin = {
                    use(client)
                    timers {
                        on(Notes) {
                            begun.complete(Unit)
                            try {
                                kotlinx.coroutines.delay(100.milliseconds)
                            } finally {
                                usable.complete(runCatching { client.semaphore("late", permits = 1) }.isSuccess)
                            }
                        }
                    }
                },
            ) {
                timers.schedule(Notes, "1", "note", after = 0.seconds)
                begun.await()
            }
            usable.await() shouldBe true
            shouldThrow<SignalboxClosedException> { client.semaphore("s", permits = 1) }
        }

        test("a service that only sets timers, and one that is told not to, handle none") {
            val client = Client.inMemory()
            inApplication(plugin = {
                use(client)
                timers { declare(Notes) }
            }) {
                timers.schedule(Notes, "1", "note", after = 0.seconds)
                timers.count(Notes)
            } shouldBe 1
            inApplication(
                MapApplicationConfig("signalbox.runTimers" to "false"),
                plugin = {
                    use(Client.inMemory())
                    timers { on(Notes) { error("handled") } }
                },
            ) {
                timers.schedule(Notes, "1", "note", after = 0.seconds)
                timers.count(Notes)
            } shouldBe 1
        }

        test("health says whether the store is there") {
            testApplication {
                val client = Client.inMemory()
                install(Signalbox) { use(client) }
                routing { signalboxHealth() }
                val up = this.client.get("/health/signalbox")
                up.status shouldBe HttpStatusCode.OK
                up.bodyAsText() shouldContain "\"status\":\"UP\",\"connection\":\"CONNECTED\""
                client.closeAndJoin()
                val down = this.client.get("/health/signalbox")
                down.status shouldBe HttpStatusCode.ServiceUnavailable
                down.bodyAsText() shouldBe """{"status":"DOWN","connection":"CLOSED"}"""
            }
        }

        test("status pages answer for what handlers let pass") {
            testApplication {
                val client = Client.inMemory()
                val exports = client.semaphore("exports", permits = 0)
                install(Signalbox) { use(client) }
                install(StatusPages) { signalbox(retryAfter = 7.seconds) }
                routing {
                    get("/{millis}") {
                        exports.acquire(timeout = call.parameters["millis"]!!.toInt().milliseconds)
                        call.respondText("never")
                    }
                }
                val busy = this.client.get("/1")
                busy.status shouldBe HttpStatusCode.ServiceUnavailable
                busy.headers["Retry-After"] shouldBe "7"
                busy.bodyAsText() shouldContain "busy"
                client.closeAndJoin()
                this.client.get("/60000").bodyAsText() shouldContain "stopping"
            }
        }

        test("an application that installs it twice is told by Ktor, and has one client") {
            inApplication(plugin = { use(Client.inMemory()) }) { signalbox.also { it shouldBeSameInstanceAs signalbox } }
        }
    })
