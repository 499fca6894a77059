package io.signalbox.logging

import ch.qos.logback.classic.Level
import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.inspectors.forOne
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.string.shouldStartWith
import io.signalbox.LeaseLostException
import io.signalbox.Mutex
import io.signalbox.Permit
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.fault.Stage
import io.signalbox.fault.onStage
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.pool.awaitBlocked
import io.signalbox.pool.pool
import io.signalbox.use
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation

/** What operators read in the log, and users in the exception: once for each change of state, with its cause. */
class OperatorsTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("a store that goes away and comes back is told once, and each permit that is lost with its cause") {
        onStage {
            var tokens = emptyList<Long>()
            val lines = logged(Level.INFO) {
                val client = client(lease = 3.seconds)
                val semaphore = client.semaphore("api", permits = 2)
                val permits = List(2) { semaphore.acquire() }
                val pool = client.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }
                val slot = pool.acquire()
                redis.kill()
                eventually(30.seconds) { (permits + slot).all(Permit::isLost) shouldBe true }
                redis.restart()
                eventually(30.seconds) { client.semaphore("api", permits = 2).permits() shouldBe 2 }
                tokens = permits.map { it.fencingToken }
            }.filter { "io.lettuce" !in it && "Watchdog" !in it && "ReconnectionHandler" !in it }
            lines.count { it.startsWith("WARN Signalbox: The store cannot be reached: ") } shouldBe 1
            lines.count { it.startsWith("INFO Signalbox: The store answers again, after ") } shouldBe 1
            for (token in tokens) {
                lines.forOne {
                    it shouldStartWith
                        "WARN Permit: Permit $token of semaphore 'api' was lost: its lease could not be renewed in time"
                }
            }
            lines.forOne { it shouldContain "of semaphore 'pool' was lost: its lease could not be renewed in time" }
        }
    }

    val losses: Map<String, suspend Stage.() -> Unit> =
        mapOf(
            "its lease could not be renewed in time" to { redis.freeze() },
            "the store has ended its session" to {
                val waiting = stored("api").records.keys.single { stored("api").labelOf(it) == "waiting" }
                redis.command("HDEL", stored("api").keys.getValue("state"), waiting)
            },
            "the store has lost its data" to { redis.command("FLUSHALL") },
        )
    for ((cause, bring) in losses) {
        test("a session that is lost while nothing is held and somebody waits is told once: $cause") {
            onStage {
                val lines = logged(Level.INFO) {
                    val holder = client(lease = 10.minutes).semaphore("api", permits = 1).acquire()
                    val waiter = async {
                        client(lease = 3.seconds) { label = "waiting" }.semaphore("api", permits = 1).acquire()
                    }
                    stored("api").awaitQueued(1)
                    val before = stored("api").records.keys
                    bring()
                    if (cause.startsWith("its lease")) {
                        val mark = TimeSource.Monotonic.markNow()
                        eventually(30.seconds) { (mark.elapsedNow() > 4.seconds) shouldBe true }
                        redis.thaw()
                    }
                    // It waits in another session now.
                    eventually(30.seconds) {
                        stored("api").records.keys.any { it !in before && stored("api").labelOf(it) == "waiting" } shouldBe true
                    }
                    holder.release()
                    waiter.await().release() shouldBe true
                }
                lines.filter { "was lost while nothing was held" in it }.single() shouldStartWith
                    "WARN Permit: The session at semaphore 'api' was lost while nothing was held and 1 waited: $cause"
            }
        }
    }

    test("a pool that is lost while nothing is held and somebody waits is told once") {
        onStage {
            val lines = logged(Level.INFO) {
                val pools = List(2) { client(lease = 3.seconds).pool("pool", permits = 1) }
                val holder = pools[0].acquire()
                val waiter = async { pools[1].acquire() }
                redis.awaitBlocked(1)
                redis.command("FLUSHALL")
                eventually(30.seconds) { holder.isLost shouldBe true }
                waiter.await().release() shouldBe true
            }
            lines.filter { "was lost while nothing was held" in it }.single() shouldContain
                "The session at semaphore 'pool' was lost while nothing was held and 1 waited: the store has lost its data"
        }
    }

    val causes: Map<String, suspend Stage.(Signalbox, Mutex) -> Unit> =
        mapOf(
            "its lease could not be renewed in time" to { _, _ -> redis.freeze() },
            "its max hold has passed" to { _, _ -> },
            "the client was closed" to { client, _ -> client.close() },
            "the store has lost its data" to { _, _ ->
                // Others have it all before the holder can put his back.
                redis.command("FLUSHALL")
                client(lease = 60.seconds).mutex("m") { maxHold = MAX_HOLD }.lock()
            },
            "the store has ended its session" to { _, _ ->
                redis.command("HDEL", STATE, redis.command("HKEYS", STATE).lines().single { '.' in it && '|' !in it })
            },
            "the store has data of a format that this version does not know" to { _, _ -> redis.command("HSET", STATE, "format", "99") },
        )
    for ((cause, bring) in causes) {
        test("a block under a permit that was lost is told why: $cause") {
            onStage {
                val client = client(lease = 3.seconds)
                val mutex = client.mutex("m") { maxHold = if (cause == "its max hold has passed") 300.milliseconds else MAX_HOLD }
                val told =
                    shouldThrow<LeaseLostException> {
                        mutex.lock().use {
                            bring(client, mutex)
                            awaitCancellation()
                        }
                    }
                told.message shouldContain "was lost before the block ended: $cause"
                if (cause.startsWith("its lease")) redis.thaw()
            }
        }
    }
})

private val MAX_HOLD = 10.minutes

/** Of the mutex of the tests. */
private val STATE = String(Keys("signalbox").of(LedgerName(Kind.MUTEX, "m")).first())
