package io.signalbox

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeBetween
import io.kotest.matchers.longs.shouldBeLessThanOrEqual
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A service that uses semaphores can be tested in virtual time: days pass in moments, and limits are exact. */
class VirtualTimeSpec : FunSpec({
    test("work under a semaphore takes the time that its permits allow") {
        runTest {
            val semaphore = client().semaphore("api", permits = 2)
            coroutineScope { repeat(10) { launch { semaphore.withPermit { delay(1.seconds) } } } }
            currentTime shouldBe 5_000
        }
    }

    test("a hand-off between clients takes no time") {
        runTest {
            val store = store()
            val here = client(store).semaphore("api", permits = 1)
            val there = client(store).semaphore("api", permits = 1)
            repeat(100) {
                val permit = here.acquire()
                val waiting = async { there.acquire() }
                runCurrent()
                permit.release()
                waiting.await().release()
            }
            currentTime shouldBe 0
        }
    }

    test("acquires give up exactly when their time is over") {
        runTest {
            val semaphore = client { slow() }.semaphore("api", permits = 1) { acquireTimeout = 1.hours }
            semaphore.acquire()
            semaphore.tryAcquire(timeout = 2.seconds) shouldBe null
            currentTime shouldBe 2_000
            shouldThrow<AcquireTimeoutException> { semaphore.acquire(timeout = 3.days) }
            currentTime shouldBe 3.days.inWholeMilliseconds + 2_000
            shouldThrow<AcquireTimeoutException> { semaphore.acquire() }
            currentTime shouldBe 3.days.inWholeMilliseconds + 1.hours.inWholeMilliseconds + 2_000
            runCurrent()
            semaphore.snapshot().queueLength shouldBe 0
        }
    }

    test("a permit that comes at the last moment is not lost, whoever wins") {
        runTest {
            val store = store()
            val here = client(store).semaphore("api", permits = 1)
            val there = client(store).semaphore("api", permits = 1)
            repeat(20) {
                val permit = here.acquire()
                val waiting = async { there.tryAcquire(timeout = 1.seconds) }
                runCurrent()
                delay(1.seconds)
                permit.release()
                waiting.await()?.release()
                runCurrent()
                here.availablePermits() shouldBe 1
                here.snapshot().queueLength shouldBe 0
            }
        }
    }

    test("a permit and a place in the queue last for days while their clients are alive") {
        runTest {
            val store = store()
            val here = client(store) { slow() }.semaphore("api", permits = 1)
            val there = client(store) { slow() }.semaphore("api", permits = 1)
            val holder = here.acquire()
            val waiting = async { there.acquire() }
            runCurrent()
            advanceTimeBy(2.days)
            holder.isLost shouldBe false
            waiting.isCompleted shouldBe false
            val snapshot = here.snapshot()
            snapshot.holders.single().age shouldBe 2.days
            snapshot.queue.single().age shouldBe 2.days
            holder.release() shouldBe true
            waiting.await().holdersAtGrant shouldBe 1
            currentTime shouldBe 2.days.inWholeMilliseconds
        }
    }

    test("a permit is lost when its max hold ends, a little early rather than late, and serves the next at once") {
        runTest {
            val store = store()
            val here = client(store).semaphore("api", permits = 1) { maxHold = 32.minutes }
            val there = client(store).semaphore("api", permits = 1)
            val block = async { runCatching { here.withPermit { awaitCancellation() } } }
            runCurrent()
            val next = async { there.acquire().let { currentTime } }
            advanceTimeBy(31.minutes)
            block.isCompleted shouldBe false
            next.await().shouldBeBetween(31.minutes.inWholeMilliseconds, 32.minutes.inWholeMilliseconds)
            (block.await().exceptionOrNull() is LeaseLostException) shouldBe true
        }
    }

    test("an extended hold ends later, also when it is extended again and again") {
        runTest {
            val semaphore = client().semaphore("api", permits = 1) { maxHold = 1.minutes }
            val permit = semaphore.acquire()
            repeat(100) {
                delay(50.seconds)
                permit.extend(1.minutes) shouldBe true
            }
            semaphore.snapshot().holders.single().remainingHold shouldBe 1.minutes
            delay(1.minutes)
            permit.isLost shouldBe true
            permit.extend(1.minutes) shouldBe false
        }
    }

    test("what is given back too soon is free exactly when its minimum hold ends, and lives for that long though nobody has a handle") {
        runTest {
            val store = store()
            val gone = client(store)
            gone.mutex("job").withLock(minHold = 3.hours) { delay(10.seconds) }
            gone.closeAndJoin()
            currentTime shouldBe 10_000
            delay(2.hours)
            val there = client(store) { slow() }.mutex("job")
            there.tryLock() shouldBe null
            there.lock().release()
            currentTime.shouldBeBetween(3.hours.inWholeMilliseconds, 3.hours.inWholeMilliseconds + 10)
            there.withLock(minHold = 1.minutes) { delay(1.minutes) }
            there.withLock(minHold = 1.minutes) { }
            delay(1.minutes)
            // Nobody has asked for it since.
            there.owner() shouldBe null
            there.tryLock().shouldNotBeNull()
        }
    }

    test("who waits is woken when it is free, whoever is before him in the queue gives up") {
        runTest {
            val store = store()
            val holder = client(store) { slow() }.semaphore("api", permits = 1)
            val permit = holder.acquire(minHold = 1.minutes)
            val waiting =
                List(3) {
                    val there = client(store) { slow() }.semaphore("api", permits = 1)
                    async { there.acquire().let { currentTime } }
                }
            runCurrent()
            permit.release() shouldBe true
            waiting[0].cancel()
            waiting[1].await().shouldBeBetween(60_000, 60_010)
            waiting[2].cancel()
        }
    }

    test("a minimum hold outlives a loss of data that its permit outlives, and no other") {
        runTest {
            val store = store()
            val here = client(store).semaphore("api", permits = 2)
            here.acquire(minHold = 1.hours).release()
            val permit = here.acquire(minHold = 1.hours)
            delay(10.minutes)
            store.ledgers.clear()
            delay(1.minutes)
            here.availablePermits() shouldBe 1
            permit.release() shouldBe true
            here.snapshot().holders.single().isKept shouldBe true
            here.acquire(permits = 2)
            currentTime.shouldBeBetween(60.minutes.inWholeMilliseconds, 60.minutes.inWholeMilliseconds + 10)
        }
    }

    test("attaching waits for a creator who takes his time, exactly as long as it is told to") {
        runTest {
            val store = store()
            shouldThrow<SemaphoreNotFoundException> { client(store).attach("api") }
            currentTime shouldBe 60_000
            val attaching = async { client(store).attach("api", timeout = Duration.INFINITE).let { currentTime } }
            delay(1.hours)
            client(store).semaphore("api", permits = 1)
            attaching.await() - 1.hours.inWholeMilliseconds - 60_000 shouldBeLessThanOrEqual 1_000
        }
    }

    test("an idle handle keeps its semaphore for days; without one it is forgotten after the retention") {
        runTest {
            val store = store()
            val idle = client(store)
            idle.semaphore("api", permits = 2).resize(3)
            advanceTimeBy(2.days)
            client(store).run {
                attach("api", timeout = Duration.ZERO).permits() shouldBe 3
                closeAndJoin()
            }
            idle.closeAndJoin()
            delay(5.minutes - 1.milliseconds)
            val late = client(store)
            late.attach("api", timeout = Duration.ZERO).permits() shouldBe 3
            late.closeAndJoin()
            delay(5.minutes + 1.milliseconds)
            shouldThrow<SemaphoreNotFoundException> { client(store).attach("api", timeout = Duration.ZERO) }
        }
    }

    test("a quarantine lasts one lease") {
        runTest {
            val store = store()
            val creator = client(store) { lease = 10.minutes }
            val semaphore = creator.semaphore("api", permits = 3) { afterDataLoss = AfterDataLoss.QUARANTINE }
            val joiner = client(store).semaphore("api", permits = 3)
            val waiting = async { joiner.acquire().let { currentTime } }
            delay(10.minutes - 1.milliseconds)
            semaphore.tryAcquire() shouldBe null
            waiting.isCompleted shouldBe false
            waiting.await().shouldBeBetween(600_000, 600_100)
            semaphore.tryAcquire().shouldNotBeNull()
        }
    }

    test("closing returns at once") {
        runTest {
            val client = client()
            val semaphore = client.semaphore("api", permits = 1)
            val permit = semaphore.acquire()
            val waiting = async { runCatching { semaphore.acquire() } }
            runCurrent()
            client.closeAndJoin()
            permit.isLost shouldBe true
            (waiting.await().exceptionOrNull() is SignalboxClosedException) shouldBe true
            currentTime shouldBe 0
        }
    }

    test("the queue of a busy day is empty in the evening") {
        runTest {
            val store = store()
            val semaphores = List(4) { client(store).semaphore("api", permits = 3) }
            coroutineScope {
                repeat(2_000) { i ->
                    launch {
                        delay((i * 7919L % 1000).milliseconds)
                        semaphores[i % 4].tryAcquire(permits = 1 + i % 3, timeout = (i % 11).seconds)?.use { delay((i % 5).milliseconds) }
                    }
                }
            }
            runCurrent()
            semaphores.first().snapshot().run {
                availablePermits shouldBe 3
                queue.shouldBeEmpty()
                queueLength shouldBe 0
            }
        }
    }
})

private fun TestScope.store() = InMemoryStore(testTimeSource)

private fun TestScope.client(
    store: InMemoryStore = store(),
    configure: SignalboxSettings.() -> Unit = {},
) = Signalbox.inMemory(store, backgroundScope, configure)

/** Fewer heartbeats a day, so that days pass faster. */
private fun SignalboxSettings.slow() {
    lease = 1.hours
    storeTimeout = 1.hours
}
