package io.signalbox.ktor.processes

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.Signalbox
import io.signalbox.ktor.until
import io.signalbox.testkit.RedisServer
import java.net.http.HttpResponse
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import kotlin.random.Random
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource

private fun List<CompletableFuture<HttpResponse<String>>>.statuses(): List<Int?> =
    map { answer -> answer.handle { response, _ -> response?.statusCode() }.get(60, TimeUnit.SECONDS) }

/** Two instances behind one limit, on a real server. */
class InstancesTest :
    FunSpec({
        test("two instances under load let five in at once, also when one is killed") {
            RedisServer.start().use { redis ->
                Instance(redis.uri, "6s").use { one ->
                    Instance(redis.uri, "6s").use { other ->
                        val random = Random(7)
                        fun load(
                            instance: Instance,
                            count: Int,
                        ) = List(count) { instance.ask("/export/${random.nextInt(1, 20)}") }

                        val calm = load(one, 200) + load(other, 200)
                        calm.statuses().distinct() shouldBe listOf(200)
                        mostAtOnce(listOf(one, other)) shouldBeLessThanOrEqual PERMITS
                        // It was crowded.
                        mostAtOnce(listOf(one, other)) shouldBeGreaterThan 3

                        // Some in there, more in the queue, when it dies.
                        val lost = List(8) { other.ask("/export/5000") }
                        while (other.said.count { it.what == "enter" } < 203) Thread.onSpinWait()
                        val rest = load(one, 100)
                        other.jvm.kill()
                        val died = System.nanoTime()
                        lost.statuses().count { it == 200 } shouldBe 0
                        rest.statuses().distinct() shouldBe listOf(200)
                        // Dead, they hold nothing any more; what they held is given to others one lease later at the earliest.
                        mostAtOnce(listOf(one, other), mapOf(other to died)) shouldBeLessThanOrEqual PERMITS
                        one.said.count { it.what == "enter" } shouldBe 300
                    }
                }
            }
        }

        test("an instance that is told to end gives its permits back at once, after its timers have ended") {
            RedisServer.start().use { redis ->
                Instance(redis.uri, "120s").use { one ->
                    Instance(redis.uri, "120s").use { other ->
                        other.ask("/note").get().body() shouldBe "set"
                        val both = listOf(one, other)
                        until { both.any { "handling" in it.jvm.output() } }
                        val handling = both.first { "handling" in it.jvm.output() }
                        val staying = if (handling === other) one else other
                        val held = List(PERMITS) { handling.ask("/export/60000") }
                        while (handling.said.count { it.what == "enter" } < PERMITS) Thread.onSpinWait()
                        val next = staying.ask("/export/1")

                        val told = TimeSource.Monotonic.markNow()
                        handling.terminate()
                        next.get(60, TimeUnit.SECONDS).statusCode() shouldBe 200
                        // The grace period and the timer's four seconds; nothing of a lease.
                        told.elapsedNow() shouldBeLessThan 15.seconds
                        handling.jvm.waitFor()
                        handling.jvm.output() shouldContain "handled note 1"
                        held.statuses().count { it == 200 } shouldBe 0
                        handling.said.count { it.what == "leave" } shouldBeGreaterThanOrEqual PERMITS
                    }
                }
            }
        }

        test("without timers its permits are back within a round trip of the end of the grace period") {
            RedisServer.start().use { redis ->
                Instance(redis.uri, "120s").use { one ->
                    Instance(redis.uri, "120s").use { other ->
                        val held = List(PERMITS) { one.ask("/export/60000") }
                        while (one.said.count { it.what == "enter" } < PERMITS) Thread.onSpinWait()
                        val next = other.ask("/export/1")
                        Signalbox.connect(redis.uri).use { looking ->
                            until { looking.semaphore("exports", PERMITS).snapshot().queueLength == 1 }
                        }

                        one.terminate()
                        next.get(60, TimeUnit.SECONDS).statusCode() shouldBe 200
                        // What they have said is read a moment later.
                        until { one.said.any { it.what == "stopping" } && other.said.any { it.what == "enter" } }
                        val stopping = one.said.single { it.what == "stopping" }.at
                        val entered = other.said.single { it.what == "enter" }.at
                        (entered - stopping).nanoseconds shouldBeLessThan 2.seconds
                        one.jvm.waitFor()
                        held.statuses().count { it == 200 } shouldBe 0
                    }
                }
            }
        }
    })
