package io.signalbox.closing

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.shouldBe
import io.lettuce.core.RedisClient
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.behaviour.freshNamespace
import io.signalbox.fault.onStage
import io.signalbox.testkit.ChildJvm
import io.signalbox.testkit.RedisServer
import java.time.Duration
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.joinAll
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What is left of a client that was closed: on the server, among the driver's threads, in the log. */
class GoodbyeTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("permits of every make are all back when closing has returned, however many they are") {
        onStage {
            val client = client()
            val limited = client.semaphore("limited", permits = 2000) { maxHold = 10.minutes }
            val weighty = client.semaphore("weighty", permits = 4000)
            val counted = client.semaphore("counted", permits = 2000)
            withContext(Dispatchers.Default) {
                List(2000) { listOf(async { limited.acquire() }, async { weighty.acquire(permits = 2) }, async { counted.acquire() }) }
                    .flatten().awaitAll()
            }
            client.closeAndJoin()
            val other = client()
            other.semaphore("limited", permits = 2000) { maxHold = 10.minutes }.availablePermits() shouldBe 2000
            other.semaphore("weighty", permits = 4000).availablePermits() shouldBe 4000
            other.semaphore("counted", permits = 2000).availablePermits() shouldBe 2000
        }
    }

    test("places in the queue are given up, those too that the client has not heard of yet") {
        onStage {
            val holder = client().mutex("leader").lock()
            repeat(3) { restart ->
                val client = client(proxied, lease = 60.seconds)
                val mutex = client.mutex("leader")
                val waiting = List(20) { launch(Dispatchers.Default) { runCatching { mutex.lock() } } }
                eventually(30.seconds) { client.mutex("leader").snapshot().queueLength shouldBe 20 }
                // One more exchange whose answer comes only after the client was closed.
                proxy.holdRequests()
                val late = List(7) { launch(Dispatchers.Default) { runCatching { mutex.lock() } } }
                proxy.awaitHeldRequest("EVALSHA")
                client.close()
                proxy.releaseRequests()
                client.closeAndJoin()
                (waiting + late).forEach { it.join() }
                val seen = client().mutex("leader").snapshot()
                seen.queueLength shouldBe 0
                seen.holders.single().fencingToken shouldBe holder.fencingToken
                check(restart < 3)
            }
        }
    }

    test("statistics count nobody who has waited, and was closed in order") {
        onStage {
            val holder = client().semaphore("restarts", permits = 1).acquire()
            repeat(3) {
                val client = client(lease = 10.minutes)
                val semaphore = client.semaphore("restarts", permits = 1)
                val waiting = List(5) { launch(Dispatchers.Default) { runCatching { semaphore.acquire() } } }
                stored("restarts").awaitQueued(5)
                client.closeAndJoin()
                waiting.joinAll()
                val seen = client().statistics(listOf("restarts")).single()
                seen.waiting shouldBe 0
                seen.oldestWaiterAge shouldBe null
                seen.heldPermits shouldBe 1
            }
            holder.release() shouldBe true
        }
    }

    test("a driver that was shut down before is not waited for") {
        val driver = RedisClient.create(RedisServer.shared().uri)
        val client = Signalbox(driver) { namespace = freshNamespace() }
        client.semaphore("held", permits = 1).acquire()
        client.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }.acquire()
        driver.shutdown()
        measureTime { client.closeAndJoin() } shouldBeLessThan 5.seconds
    }

    test("closing in order logs nothing that an operator would ask about, and clients share the driver's threads and leave none behind") {
        // In a process of its own, where nobody else has a driver.
        ChildJvm.start("io.signalbox.closing.GoodbyesProcessKt", listOf(RedisServer.shared().uri), listOf("-Xmx256m")).use { child ->
            child.awaitLine("logged: ", LIMIT) shouldBe "logged: []"
            child.awaitLine("shared: ", LIMIT) shouldBe "shared: true"
            child.awaitLine("left: ", LIMIT) shouldBe "left: []"
            child.waitFor(LIMIT) shouldBe 0
        }
    }
})

private val LIMIT = Duration.ofSeconds(60)
