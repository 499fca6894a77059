package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.maps.shouldHaveSize
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.StoreUnavailableException
import io.signalbox.history.AuditCheck
import io.signalbox.history.audit
import io.signalbox.history.auditedScripts
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeout

class ConnectionFaultTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("resets of the command connection, before and after execution, cost no acquire and double none") {
        onStage {
            load(auditedScripts)
            val client = client(proxied, scripts = auditedScripts, lease = 10.seconds)
            val semaphore = client.semaphore("cut", 3)
            val exchanges = AtomicInteger()
            val cuts = AtomicInteger()
            proxy.onExchange(auditedScripts) { connection, _ ->
                val number = exchanges.incrementAndGet()
                if (number % 4 == 0) cuts.incrementAndGet()
                if (number % 8 == 0) connection.cut()
                if (number % 8 == 4) connection.loseNextReply()
            }

            semaphore.contend(workers = 30, rounds = 40, permits = 3)
            client.closeAndJoin()

            cuts.get() shouldBeGreaterThan 10
            val check = AuditCheck("cut", permits = 3).replay(redis.audit("cut")).finish()
            check.violations.shouldBeEmpty()
            check.granted shouldHaveSize 30 * 40
        }
    }

    test("a waiter whose connections are all reset keeps its place, and is granted") {
        onStage {
            val holder = client().semaphore("cut", 1).acquire()
            val semaphore = client(proxied, lease = 90.seconds).semaphore("cut", 1)
            val before = async { client().semaphore("cut", 1).acquire().release() }
            stored("cut").awaitQueued(1)
            val first = async { semaphore.acquire() }
            stored("cut").awaitQueued(2)
            val place = stored("cut").members("queue").single()
            proxy.cut()
            val second = async { client().semaphore("cut", 1).acquire() }
            stored("cut").awaitQueued(3)
            stored("cut").members("queue").first() shouldBe place

            holder.release()
            before.await() shouldBe true

            // The heartbeat, 24 s after the last exchange or later, would be too late.
            withTimeout(20.seconds) { first.await() }.release() shouldBe true
            second.await().release() shouldBe true
        }
    }

    test("the blocking connection is reset, and no other: a grant still arrives soon, by a new one") {
        onStage {
            val semaphore = client().semaphore("cut", 1)
            val other = client(lease = 90.seconds).semaphore("cut", 1)
            repeat(3) {
                val holder = semaphore.acquire()
                val waiter = async { other.acquire() }
                stored("cut").awaitQueued(1)
                val blocking = redis.awaitBlockingClient()
                redis.command("CLIENT", "KILL", "ID", blocking)
                holder.release()

                withTimeout(20.seconds) { waiter.await() }.release() shouldBe true
            }
        }
    }

    test("a connection that is open and dead does not cost the permit") {
        onStage {
            val semaphore = client(proxied, lease = 9.seconds).semaphore("stalled", 1)
            val permit = semaphore.acquire()
            proxy.connections.filter { it.isOpen }.forEach { it.stall() }

            permit.release() shouldBe true
            stored("stalled").held shouldBe 0
        }
    }

    test("no server: the first call fails within the store timeout") {
        onStage {
            redis.stop()
            val client = client { storeTimeout = 500.milliseconds }

            measureTime {
                shouldThrow<StoreUnavailableException> { client.semaphore("nowhere", 1) }
            } shouldBeLessThan WITHIN_STORE_TIMEOUT
        }
    }

    test("the server goes away: calls that need its answer fail within the store timeout, and work again when it is back") {
        onStage {
            val client = client(proxied) { storeTimeout = 500.milliseconds }
            // The first call connects, and may take longer than that.
            val semaphore = eventually(30.seconds) { client.semaphore("away", 1) }
            proxy.refuseConnections()
            proxy.cut()

            // What fails may still be carried out later, so the resize is to what there is.
            for (call in listOf<suspend Semaphore.() -> Unit>({
                acquire()
            }, { tryAcquire() }, { permits() }, { resize(1) }, { snapshot() })) {
                measureTime { shouldThrow<StoreUnavailableException> { semaphore.call() } } shouldBeLessThan WITHIN_STORE_TIMEOUT
            }

            proxy.refuseConnections(false)
            eventually(30.seconds) { semaphore.permits() shouldBe 1 }
            eventually(30.seconds) { semaphore.acquire().release() shouldBe true }
            stored("away").awaitNothing()
        }
    }

    test("an acquire in the queue survives an outage longer than its lease, and is granted") {
        onStage {
            val other = client(lease = 30.seconds).semaphore("outage", 1)
            val holder = other.acquire()
            val semaphore = client(proxied, lease = 1.seconds) { storeTimeout = 2.seconds }.semaphore("outage", 1)
            val waiter = async { semaphore.acquire() }
            eventually(30.seconds) { stored("outage").queued shouldBeGreaterThan 0 }
            // The client waits for its grant, so it knows that it is in the queue.
            redis.awaitBlockingClient()
            proxy.refuseConnections()
            proxy.cut()
            // Longer than what only needs an answer waits for it, too.
            shouldThrow<StoreUnavailableException> { semaphore.permits() }
            eventually(30.seconds) {
                // Whoever talks to the semaphore ends the sessions that are over.
                other.permits() shouldBe 1
                stored("outage").members("sessions").size shouldBe 1
            }
            val places = stored("outage").queued
            proxy.refuseConnections(false)
            // Its first place is dropped when it reaches the head.
            eventually(30.seconds) { stored("outage").queued shouldBeGreaterThan places }

            holder.release() shouldBe true

            waiter.await().release() shouldBe true
            stored("outage").awaitNothing()
        }
    }
})

/** With a timeout of 500 ms: far less than any other limit, and far more than a pause of this process. */
private val WITHIN_STORE_TIMEOUT = 8.seconds
