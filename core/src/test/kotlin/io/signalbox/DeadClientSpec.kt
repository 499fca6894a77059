package io.signalbox

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.longs.shouldBeBetween
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.ledger.turns.PausableDispatcher
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** What is left of a client that stops without a goodbye, in virtual time: nothing, one lease later. */
class DeadClientSpec : FunSpec({
    test("its permits go to the next in the queue one lease after its last sign of life, and not before") {
        runTest {
            val world = World(this)
            val permit = world.mortal.acquire()
            val next = async { world.survivor.acquire(permits = 3).let { currentTime } }
            runCurrent()
            world.kill()
            delay(LEASE - 1.milliseconds)
            next.isCompleted shouldBe false
            next.await().shouldBeBetween(LEASE.inWholeMilliseconds, LEASE.inWholeMilliseconds + 100)
            permit.isLost shouldBe true
        }
    }

    test("its permits are free one lease later although nobody waits for them") {
        runTest {
            val world = World(this)
            world.mortal.acquire(permits = 2)
            world.mortal.acquire()
            world.kill()
            delay(LEASE - 1.milliseconds)
            world.survivor.availablePermits() shouldBe 0
            delay(2.milliseconds)
            world.survivor.availablePermits() shouldBe 3
            world.survivor.snapshot().holders.shouldBeEmpty()
        }
    }

    test("it can know that its permit is lost before anybody else can get it") {
        runTest {
            val world = World(this)
            val permit = world.mortal.acquire()
            world.kill()
            delay(LEASE * 3 / 4)
            permit.isLost shouldBe false
            delay(LEASE / 4 - 1.milliseconds)
            world.survivor.tryAcquire(permits = 3) shouldBe null
            permit.isLost shouldBe true
            delay(1.milliseconds)
            world.survivor.tryAcquire(permits = 3).shouldNotBeNull()
        }
    }

    test("it can know that the max hold of its permit has ended, without any timer of its own") {
        runTest {
            val world = World(this) { maxHold = 10.seconds }
            val permit = world.mortal.acquire()
            world.kill()
            delay(9.seconds)
            permit.isLost shouldBe false
            delay(1.seconds)
            permit.isLost shouldBe true
        }
    }

    test("its places in the queue hold back nobody") {
        runTest {
            val world = World(this)
            val holder = world.survivor.acquire(permits = 3)
            backgroundScope.launch { world.mortal.acquire(permits = 3) }
            runCurrent()
            val behind = async { world.survivor.acquire().let { currentTime } }
            runCurrent()
            world.kill()
            delay(LEASE + 1.milliseconds)
            world.survivor.snapshot().queue.map { it.label } shouldBe listOf("survivor")
            holder.release()
            behind.await() shouldBe currentTime
            runCurrent()
            world.survivor.snapshot().queueLength shouldBe 0
        }
    }

    test("a permit granted to its place in the queue is on loan for one lease at most") {
        runTest {
            val world = World(this)
            val holder = world.survivor.acquire(permits = 3)
            backgroundScope.launch { world.mortal.acquire() }
            runCurrent()
            world.kill()
            holder.release()
            world.survivor.availablePermits() shouldBe 2
            world.survivor.acquire(permits = 3).holdersAtGrant shouldBe 3
            currentTime.shouldBeBetween(1, LEASE.inWholeMilliseconds + 100)
        }
    }

    test("a limited hold ends in time although its client is dead") {
        runTest {
            val world = World(this) { maxHold = 10.seconds }
            world.mortal.acquire(permits = 3)
            world.kill()
            world.survivor.acquire().holdersAtGrant shouldBe 1
            currentTime.shouldBeBetween(9_000, 10_100)
        }
    }

    test("clients that come and die every minute for an hour take nothing with them") {
        runTest {
            val store = InMemoryStore(testTimeSource)
            val survivor = Signalbox.inMemory(store, backgroundScope).semaphore("api", permits = 3)
            while (currentTime < 1.hours.inWholeMilliseconds) {
                val scope = backgroundScope.child()
                val semaphore = Signalbox.inMemory(store, scope) { lease = LEASE }.semaphore("api", permits = 3)
                repeat(5) { scope.launch { semaphore.acquire() } }
                delay(1.minutes)
                scope.cancel()
            }
            survivor.acquire(permits = 3).holdersAtGrant shouldBe 3
            survivor.snapshot().queueLength shouldBe 0
        }
    }
})

private val LEASE = 30.seconds

private fun CoroutineScope.child() = CoroutineScope(coroutineContext + SupervisorJob(coroutineContext.job))

/** Two clients of one semaphore of 3 permits. */
private class World(
    val mortal: Semaphore,
    val survivor: Semaphore,
    private val process: PausableDispatcher,
) {
    /** From now on nothing of the mortal client runs any more. */
    fun kill() {
        process.isDead = true
    }
}

private suspend fun World(
    test: TestScope,
    configure: SemaphoreSettings.() -> Unit = {},
): World {
    val store = InMemoryStore(test.testTimeSource)
    val process = PausableDispatcher(StandardTestDispatcher(test.testScheduler))
    val mortal = Signalbox.inMemory(store, CoroutineScope(process)) { lease = LEASE }
    val survivor = Signalbox.inMemory(store, test.backgroundScope) { label = "survivor" }
    return World(mortal.semaphore("api", permits = 3, configure), survivor.semaphore("api", permits = 3), process)
}
