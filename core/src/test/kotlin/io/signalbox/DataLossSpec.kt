package io.signalbox

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeBetween
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.types.shouldBeInstanceOf
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** A store that forgets everything: holders put themselves back, waiters queue again. In virtual time. */
class DataLossSpec : FunSpec({
    test("holders put their permits back with their next heartbeat, under the same tokens") {
        runTest {
            val loss = Loss(this)
            val here = loss.semaphore(permits = 4)
            val there = loss.semaphore(permits = 4)
            val permits = listOf(here.acquire(), there.acquire(permits = 2))
            loss.happens()
            delay(15.seconds)
            permits.count { it.isLost } shouldBe 0
            val snapshot = loss.semaphore(permits = 4).snapshot()
            snapshot.holders.map { it.fencingToken to it.permits }.toSet() shouldBe permits.map { it.fencingToken to it.permits }.toSet()
            there.acquire().fencingToken shouldBeGreaterThan permits.maxOf { it.fencingToken }
            permits.forEach { it.release() shouldBe true }
        }
    }

    test("waiters queue again and are served") {
        runTest {
            val loss = Loss(this)
            // Its heartbeats come sooner than those of the other, so its holder puts itself back before a waiter is there.
            val here = loss.client { lease = 9.seconds }.semaphore("api", permits = 1)
            val there = loss.semaphore(permits = 1)
            val holder = here.acquire()
            val waiting = List(3) { async { there.acquire() } }
            runCurrent()
            loss.happens()
            delay(15.seconds)
            there.snapshot().queueLength shouldBe 3
            waiting.count { it.isCompleted } shouldBe 0
            holder.release() shouldBe true
            waiting.forEach { it.await().release() shouldBe true }
            here.availablePermits() shouldBe 1
        }
    }

    test("a limited hold that was put back ends when it would have ended") {
        runTest {
            val loss = Loss(this)
            val semaphore = loss.semaphore(permits = 1) { maxHold = 64.seconds }
            val permit = semaphore.acquire()
            delay(10.seconds)
            loss.happens()
            delay(50.seconds)
            permit.isLost shouldBe false
            loss.semaphore(permits = 1).acquire().holdersAtGrant shouldBe 1
            currentTime.shouldBeBetween(61_000, 64_000)
            permit.isLost shouldBe true
        }
    }

    test("who comes while holders are still to put themselves back is granted at once, and surplus holders are told") {
        runTest {
            val loss = Loss(this)
            val permit = loss.semaphore(permits = 1).acquire()
            delay(1.milliseconds)
            loss.happens()
            val newcomer = loss.semaphore(permits = 1).acquire()
            newcomer.holdersAtGrant shouldBe 1
            newcomer.fencingToken shouldBeGreaterThan permit.fencingToken
            delay(30.seconds)
            permit.isLost shouldBe true
            newcomer.isLost shouldBe false
        }
    }

    test("in quarantine newcomers wait until holders have put themselves back") {
        runTest {
            val loss = Loss(this)
            val holder = loss.semaphore(permits = 2) { afterDataLoss = AfterDataLoss.QUARANTINE }
            delay(30.seconds)
            val permit = holder.acquire()
            loss.happens()
            val begin = currentTime
            val newcomers = loss.semaphore(permits = 2) { afterDataLoss = AfterDataLoss.QUARANTINE }
            newcomers.acquire().holdersAtGrant shouldBe 2
            (currentTime - begin).shouldBeBetween(30_000, 31_000)
            newcomers.tryAcquire() shouldBe null
            permit.release() shouldBe true
        }
    }

    test("an attached handle makes nothing anew: until a creator does, its calls find nothing") {
        runTest {
            val loss = Loss(this)
            loss.client().run {
                semaphore("api", permits = 2)
                closeAndJoin()
            }
            val attached = loss.client().attach("api")
            loss.happens()
            shouldThrow<SemaphoreNotFoundException> { attached.acquire() }.semaphore shouldBe "api"
            shouldThrow<SemaphoreNotFoundException> { attached.snapshot() }
            loss.semaphore(permits = 3)
            attached.acquire(permits = 3).permits shouldBe 3
            attached.permits() shouldBe 3
        }
    }

    test("what is made anew is as it was declared, boundedness included") {
        runTest {
            val loss = Loss(this)
            val semaphore = loss.client().semaphore("api", permits = 2) { bounded = false }
            val attached = loss.client().attach("api")
            semaphore.resize(7)
            loss.happens()
            delay(15.minutes)
            semaphore.permits() shouldBe 2
            semaphore.addPermits(1) shouldBe 3
            attached.permits() shouldBe 3
        }
    }

    test("a release on the way when the data are lost does not come back as a held permit") {
        runTest {
            val loss = Loss(this)
            val semaphore = loss.semaphore(permits = 1)
            val permit = semaphore.acquire()
            loss.happens()
            permit.release()
            semaphore.acquire(timeout = 1.milliseconds).holdersAtGrant shouldBe 1
        }
    }

    test("losing the data again and again costs nobody his turn") {
        runTest {
            val loss = Loss(this)
            val semaphores = List(3) { loss.semaphore(permits = 2) }
            val turns = List(30) { i ->
                async { runCatching { semaphores[i % 3].acquire().use { delay(7.seconds) } }.exceptionOrNull() }
            }
            val losses = async {
                repeat(10) {
                    delay(11.seconds)
                    loss.happens()
                }
            }
            losses.await()
            // Who held when somebody came first after a loss may find no capacity left to put the permit back.
            turns.mapNotNull { it.await() }.forEach { it.shouldBeInstanceOf<LeaseLostException>() }
            delay(1.minutes)
            semaphores.first().availablePermits() shouldBe 2
            semaphores.first().snapshot().queueLength shouldBe 0
        }
    }
})

private class Loss(private val test: TestScope) {
    private val store = InMemoryStore(test.testTimeSource)

    fun client(configure: SignalboxSettings.() -> Unit = {}) = Signalbox.inMemory(store, test.backgroundScope, configure)

    suspend fun semaphore(
        permits: Int,
        configure: SemaphoreSettings.() -> Unit = {},
    ) = client().semaphore("api", permits, configure)

    fun happens() = store.ledgers.clear()
}
