package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.signalbox.ConnectionState
import io.signalbox.Observation
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.SignalboxListener
import io.signalbox.StoreUnavailableException
import io.signalbox.withLock
import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** An application that starts while the server is down, and what it can tell of it. */
class StartWithoutServerTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    test("handles that join with their first use are made without a server, fail while there is none, and work once there is") {
        onStage {
            val client = client { storeTimeout = 300.milliseconds }
            redis.kill()
            val semaphore = client.lazySemaphore("later", permits = 1)
            val pool = client.lazySemaphore("later pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }
            val mutex = client.lazyMutex("later")
            val event = client.lazyEvent("later")
            client.state.value shouldBe ConnectionState.NOT_CONNECTED
            for (call in listOf<suspend () -> Any?>(
                { semaphore.acquire() },
                { semaphore.tryAcquire(timeout = 100.milliseconds) },
                { semaphore.permits() },
                { pool.acquire() },
                { mutex.lock() },
                { event.set() },
                { client.ping() },
                { client.ping(timeout = 50.milliseconds) },
                { client.semaphore("later", permits = 1) },
            )) {
                shouldThrow<StoreUnavailableException> { call() }
            }
            redis.restart()
            eventually(30.seconds) { client.ping() }
            client.state.value shouldBe ConnectionState.CONNECTED
            semaphore.acquire().release() shouldBe true
            eventually(30.seconds) { pool.acquire() }.release() shouldBe true
            mutex.withLock { it.permits } shouldBe 1
            event.set()
            event.tryAwait() shouldBe true
            client.semaphore("later", permits = 1) shouldBeSameInstanceAs semaphore
            client.mutex("later") shouldBeSameInstanceAs mutex
            client.event("later") shouldBeSameInstanceAs event
        }
    }

    test("a connection that is lost is told as such, and the state follows it") {
        onStage {
            val client = client(lease = 60.seconds)
            val lost = ConcurrentLinkedQueue<Boolean>()
            client.addListener(
                object : SignalboxListener {
                    override fun onDisconnected(disconnected: Observation.Disconnected) {
                        lost += disconnected.blocking
                    }
                },
            )
            client.ping()
            client.state.value shouldBe ConnectionState.CONNECTED
            redis.kill()
            eventually(30.seconds) { client.state.value shouldBe ConnectionState.RECONNECTING }
            lost shouldContain false
            redis.restart()
            eventually(30.seconds) { client.state.value shouldBe ConnectionState.CONNECTED }
            client.close()
            client.state.value shouldBe ConnectionState.CLOSED
        }
    }
})
