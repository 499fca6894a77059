package io.signalbox

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.comparables.shouldBeGreaterThanOrEqualTo
import io.kotest.matchers.longs.shouldBeGreaterThanOrEqual
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.freshNamespace
import io.signalbox.fault.warningsDuring
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withContext

/** A client takes its own time, whoever calls: that of the wall for a server, that of its scope in memory. */
class VirtualCallerTest : FunSpec({
    timeout = 60.seconds.inWholeMilliseconds

    test("a server under runTest: questions are answered, and time limits last") {
        runTest {
            val client = Signalbox.connect(RedisServer.shared().uri) { namespace = freshNamespace() }
            for ((name, algorithm) in mapOf("queue" to SemaphoreAlgorithm.Queue, "pool" to SemaphoreAlgorithm.Pool())) {
                val semaphore = client.semaphore(name, permits = 1) { this.algorithm = algorithm }
                client.attach(name, timeout = 5.seconds) { this.algorithm = algorithm }
                semaphore.availablePermits() shouldBe 1
                val held = semaphore.acquire(timeout = 5.seconds)
                semaphore.snapshot().heldPermits shouldBe 1
                val mark = TimeSource.Monotonic.markNow()
                semaphore.tryAcquire(timeout = 200.milliseconds).shouldBeNull()
                shouldThrow<AcquireTimeoutException> { semaphore.acquire(timeout = 200.milliseconds) }
                mark.elapsedNow() shouldBeGreaterThanOrEqualTo 400.milliseconds
                val waiter = async { semaphore.tryAcquire(timeout = 20.seconds) }
                delay(1.seconds)
                held.release() shouldBe true
                waiter.await()!!.release() shouldBe true
                semaphore.resize(2)
                semaphore.permits() shouldBe 2
            }
            val mutex = client.mutex("report") { lockTimeout = 5.seconds }
            mutex.withLock { mutex.tryLock().shouldBeNull() }
            val event = client.event("done")
            event.tryAwait(100.milliseconds) shouldBe false
            event.set()
            event.await(timeout = 5.seconds)
            client.statistics(listOf("queue", "pool", "nobody's")).map { it.permits } shouldBe listOf(2, 2)
            shouldThrow<SemaphoreNotFoundException> { client.attach("nobody's", timeout = 100.milliseconds) }
            client.closeAndJoin()
        }
    }

    test("a client in virtual time, called in real time: its limits are over when its time has passed") {
        runTest {
            val client = Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope)
            val semaphore = client.semaphore("api", permits = 1)
            semaphore.acquire()
            val real = async(Dispatchers.Default) { semaphore.tryAcquire(timeout = 10.minutes) }
            real.await().shouldBeNull()
            // Time may have gone on until the other thread was heard.
            currentTime shouldBeGreaterThanOrEqual 10.minutes.inWholeMilliseconds
        }
    }

    test("a client in real time, in memory, called in virtual time: its limits take their time") {
        runTest {
            val client = Signalbox.inMemory()
            val semaphore = client.semaphore("api", permits = 1)
            val held = semaphore.acquire()
            val mark = TimeSource.Monotonic.markNow()
            semaphore.tryAcquire(timeout = 200.milliseconds).shouldBeNull()
            mark.elapsedNow() shouldBeGreaterThanOrEqualTo 200.milliseconds
            held.release() shouldBe true
            client.closeAndJoin()
        }
    }

    test("a store and a scope whose times differ are warned of, as that cannot work") {
        runTest {
            warningsDuring { Signalbox.inMemory(InMemoryStore(), backgroundScope).semaphore("api", 1) }
                .filter { "testTimeSource" in it } shouldHaveSize 1
            val store = InMemoryStore(testTimeSource)
            warningsDuring { withContext(Dispatchers.Default) { Signalbox.inMemory(store).closeAndJoin() } }
                .filter { "testTimeSource" in it } shouldHaveSize 1
            warningsDuring {
                Signalbox.inMemory(store, backgroundScope).semaphore("api", 1)
            }.filter { "testTimeSource" in it } shouldHaveSize
                0
        }
    }
})
