package io.signalbox.closing

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeLessThan
import io.signalbox.Observation
import io.signalbox.Permit
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxListener
import io.signalbox.behaviour.freshNamespace
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.runBlocking

/** Closing a client from code of its user's that runs on a thread which the goodbye needs. */
class InsideTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val algorithms = mapOf("queue" to SemaphoreAlgorithm.Queue, "pool" to SemaphoreAlgorithm.Pool())
    val places: Map<String, (Signalbox, Permit, () -> Unit) -> Unit> =
        mapOf(
            "an action for a loss" to { _, permit, close -> permit.onLost(close) },
            "a listener" to { client, _, close ->
                client.addListener(
                    object : SignalboxListener {
                        override fun onLost(lost: Observation.Lost) = close()
                    },
                )
            },
        )
    for ((algorithm, chosen) in algorithms) {
        for ((place, register) in places) {
            test("closing from $place returns at once, and the rest ends after it: $algorithm") {
                val others = timers()
                val client = Signalbox.connect(RedisServer.shared().uri) { namespace = freshNamespace() }
                val semaphore =
                    client.semaphore("api", permits = 1) {
                        maxHold = 300.milliseconds
                        this.algorithm = chosen
                    }
                val took = CompletableDeferred<Duration>()
                register(client, semaphore.acquire()) { took.complete(measureTime { runBlocking { client.closeAndJoin() } }) }
                took.await() shouldBeLessThan 4.seconds
                measureTime { client.closeAndJoin() } shouldBeLessThan 4.seconds
                eventually(30.seconds) { (timers() - others).shouldBeEmpty() }
            }
        }
    }
})

private fun timers(): Set<Thread> = Thread.getAllStackTraces().keys.filter { it.name == "signalbox-timer" }.toSet()
