package io.signalbox.pool

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.signalbox.SignalboxClosedException
import io.signalbox.SignalboxException
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import io.signalbox.withPermit
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeoutOrNull

private val STORE_TIMEOUT = 6.seconds

/** What closing a client comes to for every call of a pool that has not ended, whatever has become of the server. */
class PoolClosingTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val states: Map<String, Stage.() -> Unit> =
        mapOf(
            "healthy" to { },
            "killed" to { redis.kill() },
            "frozen" to { redis.freeze() },
            "behind a black hole" to { proxy.stall() },
        )

    for ((state, happen) in states) {
        for (joins in listOf(false, true)) {
            test("every call ends with the truth when the client is closed${if (joins) " and joined" else ""}, the server being $state") {
                onStage {
                    val client = client(proxied, lease = 20.seconds) { storeTimeout = STORE_TIMEOUT }
                    val pool = client.pool("closing", 2) {
                        maxHold = 600.seconds
                        bounded = false
                    }
                    val permits = List(2) { pool.acquire() }
                    happen()
                    val calls: Map<String, suspend () -> Any?> =
                        mapOf(
                            "acquire" to { pool.acquire() },
                            "acquire(timeout)" to { pool.acquire(timeout = 60.seconds) },
                            "tryAcquire(timeout)" to { pool.tryAcquire(timeout = 60.seconds) },
                            "withPermit" to { pool.withPermit { } },
                            "release" to { permits[0].release() },
                            "extend" to { permits[1].extend(300.seconds) },
                            "resize" to { pool.resize(3) },
                            "addPermits" to { pool.addPermits(1) },
                            "snapshot" to { pool.snapshot() },
                            "permits" to { pool.permits() },
                            "semaphore" to { client.pool("another", 1) },
                        )
                    val started = calls.mapValues { (_, call) ->
                        async(Dispatchers.Default, CoroutineStart.UNDISPATCHED) { runCatching { call() } }
                    }
                    val mark = TimeSource.Monotonic.markNow()
                    if (joins) client.closeAndJoin() else client.close()
                    val outcomes = started.mapValues { (name, call) ->
                        withClue("$name has not ended") { withTimeoutOrNull(60.seconds) { call.await() }.let { checkNotNull(it) } }
                    }
                    // On a busy machine as well; for ever it was.
                    mark.elapsedNow() shouldBeLessThan STORE_TIMEOUT + 15.seconds
                    for ((name, outcome) in outcomes) {
                        withClue("$name: $outcome") {
                            val problem = outcome.exceptionOrNull()
                            (problem == null || problem is SignalboxException) shouldBe true
                            // Nobody has confirmed anything.
                            if (state != "healthy") (outcome.getOrNull() == true) shouldBe false
                        }
                    }
                    if (state == "frozen") redis.thaw()
                }
            }
        }
    }

    test("calls after the end are refused at once, and name it") {
        onStage {
            val client = client { storeTimeout = STORE_TIMEOUT }
            val pool = client.pool("closed", 1)
            val permit = pool.acquire()
            client.closeAndJoin()
            val calls: List<suspend () -> Any?> =
                listOf({ pool.acquire() }, { pool.tryAcquire() }, { pool.snapshot() }, { pool.resize(2) }, { pool.permits() })
            for (call in calls) (runCatching { call() }.exceptionOrNull() is SignalboxClosedException) shouldBe true
            permit.release() shouldBe false
            StoredPool(redis, "closed").awaitWhole(1)
        }
    }
})
