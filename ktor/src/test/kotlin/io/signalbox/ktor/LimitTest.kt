package io.signalbox.ktor

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.ktor.client.request.get
import io.ktor.client.statement.HttpResponse
import io.ktor.client.statement.bodyAsText
import io.ktor.http.HttpStatusCode
import io.ktor.server.application.install
import io.ktor.server.response.respondText
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import io.ktor.server.testing.ApplicationTestBuilder
import io.ktor.server.testing.testApplication
import io.signalbox.PermitsMismatchException
import io.signalbox.Signalbox as Client
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope

/** Requests that stay until they are told to go. */
private class Room {
    val entered = Channel<Unit>(Channel.UNLIMITED)
    private val door = CompletableDeferred<Unit>()

    suspend fun stay() {
        entered.send(Unit)
        door.await()
    }

    fun open() = door.complete(Unit)
}

private suspend fun ApplicationTestBuilder.ask(path: String = "/"): HttpResponse = client.get(path)

private suspend fun HttpResponse.shouldBeRejected(
    rejection: Rejection,
    retryAfter: String?,
) {
    status shouldBe HttpStatusCode.ServiceUnavailable
    headers["Content-Type"] shouldContain "application/problem+json"
    headers["Retry-After"] shouldBe retryAfter
    bodyAsText() shouldContain "\"reason\":\"${rejection.code}\""
}

class LimitTest :
    FunSpec({
        test("no more requests than permits are handled at once") {
            testApplication {
                val now = AtomicInteger()
                val most = AtomicInteger()
                install(Signalbox) { use(Client.inMemory()) }
                routing {
                    limitConcurrency("exports", permits = 3, wait = 30.seconds) {
                        get("/") {
                            most.accumulateAndGet(now.incrementAndGet(), ::maxOf)
                            kotlinx.coroutines.yield()
                            now.decrementAndGet()
                            call.respondText("${call.permit.fencingToken}")
                        }
                    }
                }
                val tokens = coroutineScope { List(100) { async { ask().bodyAsText().toLong() } }.awaitAll() }
                tokens.distinct().size shouldBe 100
                most.get() shouldBeLessThanOrEqual 3
            }
        }

        test("who comes when all permits are held is told to come again") {
            testApplication {
                val room = Room()
                install(Signalbox) { use(Client.inMemory()) }
                routing {
                    limitConcurrency("exports", permits = 1, wait = 0.05.seconds) {
                        get("/") {
                            room.stay()
                            call.respondText("done")
                        }
                    }
                }
                coroutineScope {
                    val first = async { ask() }
                    room.entered.receive()
                    ask().shouldBeRejected(Rejection.BUSY, retryAfter = "1")
                    room.open()
                    first.await().bodyAsText() shouldBe "done"
                    ask().bodyAsText() shouldBe "done"
                }
            }
        }

        test("without a wait the answer comes at once, and says when to come again") {
            testApplication {
                val room = Room()
                install(Signalbox) { use(Client.inMemory()) }
                routing {
                    limitConcurrency("exports", permits = 1, configure = { retryAfter = 2.5.seconds }) {
                        get("/") {
                            room.stay()
                            call.respondText("done")
                        }
                    }
                }
                coroutineScope {
                    val first = async { ask() }
                    room.entered.receive()
                    ask().shouldBeRejected(Rejection.BUSY, retryAfter = "3")
                    room.open()
                    first.await()
                }
            }
        }

        test("so many wait, and no more") {
            val signalbox = Client.inMemory()
            testApplication {
                val room = Room()
                install(Signalbox) { use(signalbox) }
                routing {
                    limitConcurrency("exports", permits = 1, wait = 30.seconds, configure = { maxWaiting = 2 }) {
                        get("/") {
                            room.stay()
                            call.respondText("done")
                        }
                    }
                }
                coroutineScope {
                    val first = async { ask() }
                    room.entered.receive()
                    val waiting = List(2) { async { ask() } }
                    until { signalbox.semaphore("exports", permits = 1).snapshot().queueLength == 2 }
                    ask().shouldBeRejected(Rejection.TOO_MANY_WAITING, retryAfter = "30")
                    room.open()
                    (waiting + first).awaitAll().map { it.status }.distinct() shouldContainExactly listOf(HttpStatusCode.OK)
                }
            }
        }

        test("a permit that is lost while the handler runs ends it, and is answered as lost") {
            val signalbox = Client.inMemory()
            testApplication {
                val room = Room()
                val cancelled = CompletableDeferred<Unit>()
                install(Signalbox) { use(signalbox) }
                routing {
                    limitConcurrency("exports", permits = 1) {
                        get("/") {
                            try {
                                room.stay()
                            } finally {
                                cancelled.complete(Unit)
                            }
                            call.respondText("done")
                        }
                    }
                }
                coroutineScope {
                    val asked = async { ask() }
                    room.entered.receive()
                    val exports = signalbox.semaphore("exports", permits = 1)
                    exports.revoke(exports.snapshot().holders.single().fencingToken).shouldBeTrue()
                    asked.await().shouldBeRejected(Rejection.LEASE_LOST, retryAfter = null)
                    cancelled.await()
                    room.open()
                    ask().bodyAsText() shouldBe "done"
                }
            }
        }

        test("a permit is given back when a handler fails") {
            testApplication {
                install(Signalbox) { use(Client.inMemory()) }
                routing {
                    limitConcurrency("exports", permits = 1) {
                        get("/") { error("bad") }
                    }
                }
                repeat(3) { ask().status shouldBe HttpStatusCode.InternalServerError }
            }
        }

        test("limits are nested, and the innermost permit is the request's") {
            testApplication {
                val signalbox = Client.inMemory()
                install(Signalbox) { use(signalbox) }
                routing {
                    limitConcurrency("all", permits = 10) {
                        get("/outer") { call.respondText(call.permit.name) }
                        limitConcurrency("exports", permits = 1) {
                            get("/inner") {
                                val held = signalbox.semaphore("all", permits = 10).snapshot().heldPermits
                                call.respondText("${call.permit.name} $held")
                            }
                        }
                    }
                    get("/free") { call.respondText("${runCatching { call.permit }.exceptionOrNull()?.message}") }
                }
                ask("/outer").bodyAsText() shouldBe "all"
                ask("/inner").bodyAsText() shouldBe "exports 1"
                ask("/free").bodyAsText() shouldContain "limitConcurrency"
            }
        }

        test("a rejection is answered as the application likes") {
            testApplication {
                install(Signalbox) { use(Client.inMemory()) }
                routing {
                    limitConcurrency(
                        "exports",
                        permits = 0,
                        configure = {
                            onRejection =
                                { call, rejection, _ -> call.respondText(rejection.name, status = HttpStatusCode.TooManyRequests) }
                        },
                    ) {
                        get("/") { call.respondText("never") }
                    }
                }
                val answer = ask()
                answer.status shouldBe HttpStatusCode.TooManyRequests
                answer.bodyAsText() shouldBe "BUSY"
                answer.headers["Retry-After"].shouldBeNull()
            }
        }

        test("a semaphore of another size is an error of the program, not of the request") {
            testApplication {
                val signalbox = Client.inMemory()
                signalbox.semaphore("mine", permits = 2)
                install(Signalbox) { use(signalbox) }
                val failure = CompletableDeferred<Throwable>()
                application {
                    routing {
                        val problem = runCatching { limitConcurrency("mine", permits = 3) { get("/") { call.respondText("never") } } }
                        failure.complete(problem.exceptionOrNull() ?: IllegalStateException("accepted"))
                    }
                }
                startApplication()
                (failure.await() is PermitsMismatchException) shouldBe true
            }
        }

        test("settings out of range are named") {
            testApplication {
                install(Signalbox) { use(Client.inMemory()) }
                val messages = mutableListOf<String?>()
                routing {
                    fun message(
                        wait: kotlin.time.Duration = 1.seconds,
                        configure: ConcurrencyLimitSettings.() -> Unit = {},
                    ) {
                        messages += runCatching { limitConcurrency("exports", 1, wait, configure) {} }.exceptionOrNull()?.message
                    }
                    message(wait = kotlin.time.Duration.INFINITE)
                    message(wait = (-1).seconds)
                    message { maxWaiting = 0 }
                    message { storeTimeout = 0.seconds }
                    message { retryAfter = (-1).seconds }
                }
                startApplication()
                messages.mapNotNull { it?.substringBefore(' ') } shouldContainExactly
                    listOf("wait", "wait", "maxWaiting", "storeTimeout", "retryAfter")
            }
        }

        test("tokens grow from request to request") {
            testApplication {
                install(Signalbox) { use(Client.inMemory()) }
                routing { limitConcurrency("exports", permits = 1) { get("/") { call.respondText("${call.permit.fencingToken}") } } }
                val first = ask().bodyAsText().toLong()
                ask().bodyAsText().toLong() shouldBeGreaterThan first
            }
        }
    })
