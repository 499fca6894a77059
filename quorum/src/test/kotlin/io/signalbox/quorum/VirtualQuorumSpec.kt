package io.signalbox.quorum

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeFalse
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.longs.shouldBeBetween
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.LeaseLostException
import io.signalbox.Signalbox
import io.signalbox.StoreUnavailableException
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancel
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.plus
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource

/** Exact in time: masters that fail and come back, in memory. */
class VirtualQuorumSpec : FunSpec({
    test("a permit is kept for as long as a majority renews it, and outlives any one master") {
        runTest {
            val masters = masters()
            val mutex = client(masters).mutex("m")
            val permit = mutex.lock()
            for (master in 0..2) {
                masters.stop(master)
                delay(60.seconds)
                masters.start(master)
                delay(60.seconds)
            }
            permit.isLost.shouldBeFalse()
            client(masters).mutex("m").tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
        }
    }

    test("of seven masters three may fail, and a fourth ends it") {
        runTest {
            val masters = InMemoryMasters(7, testTimeSource)
            val mutex = client(masters).mutex("m")
            val other = client(masters).mutex("m")
            val permit = mutex.lock()
            for (master in listOf(0, 3, 6)) masters.stop(master)
            delay(60.seconds)
            permit.isLost.shouldBeFalse()
            other.tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
            val next = other.lock()
            (next.fencingToken > permit.fencingToken).shouldBeTrue()
            masters.stop(1)
            delay(10.seconds)
            next.isLost.shouldBeTrue()
            shouldThrow<StoreUnavailableException> { mutex.tryLock() }.message shouldContain "master 1"
        }
    }

    test("it is lost, and its block cancelled, before any master can give it away") {
        runTest {
            val masters = masters()
            val mutex = client(masters).mutex("m")
            val other = client(masters).mutex("m")
            val lost = async { runCatching { mutex.withLock { awaitCancellation() } } }
            runCurrent()
            masters.stop(0)
            masters.stop(1)
            val stoppedAt = currentTime
            val error = lost.await().exceptionOrNull()
            (error is LeaseLostException).shouldBeTrue()
            val lostAfter = currentTime - stoppedAt
            masters.start(0, keepsData = true)
            masters.start(1, keepsData = true)
            other.lock()
            lostAfter.shouldBeBetween(1, 8_750)
            (currentTime - stoppedAt > lostAfter).shouldBeTrue()
        }
    }

    test("a crashed client's permit is free a lease later, and whoever waits gets it then") {
        runTest {
            val masters = masters()
            val crashing = CoroutineScope(backgroundScope.coroutineContext + Job())
            Signalbox.inMemoryQuorum(masters, crashing).mutex("m").lock()
            val waiting = async { client(masters).mutex("m").lock() }
            delay(1.seconds)
            crashing.cancel()
            waiting.await()
            currentTime.shouldBeBetween(5_000, 14_000)
        }
    }

    test("a master that came back empty does not vote for the longest lease, and no second holder comes about") {
        runTest {
            val masters = masters()
            val first = client(masters)
            val second = client(masters)
            val third = second.mutex("m")
            // A majority of the first two only.
            masters.stop(2)
            val permit = first.mutex("m").lock()
            masters.start(2, keepsData = true)
            masters.servers.forEach { it.network = { if (it === masters.servers[2]) null else Duration.ZERO } }
            masters.stop(1)
            masters.start(1)
            masters.servers.forEach { it.network = { Duration.ZERO } }
            third.tryLock().shouldBeNull()
            third.snapshot().masters.count { it.quarantine > Duration.ZERO } shouldBe 1
            delay(60.seconds)
            permit.isLost.shouldBeFalse()
            third.tryLock().shouldBeNull()
            permit.release().shouldBeTrue()
            third.tryLock().shouldNotBeNull()
        }
    }

    test("when all masters lost everything, nobody gets anything for the longest lease, but holders go on") {
        runTest {
            val masters = masters()
            val mutex = client(masters).mutex("m")
            val other = client(masters).mutex("m")
            val permit = mutex.lock()
            for (master in 0..2) {
                masters.stop(master)
                masters.start(master)
            }
            val lostAt = currentTime
            other.tryLock().shouldBeNull()
            other.isLocked().shouldBeTrue()
            delay(30.seconds)
            permit.isLost.shouldBeFalse()
            other.tryLock().shouldBeNull()
            permit.release()
            val next = other.lock()
            (next.fencingToken > permit.fencingToken).shouldBeTrue()

            val free = client(masters).mutex("free")
            for (master in 0..2) {
                masters.stop(master)
                masters.start(master)
            }
            val startedAt = currentTime
            free.lock()
            (currentTime - startedAt).shouldBeBetween(10_000, 11_500)
            (lostAt < startedAt).shouldBeTrue()
        }
    }

    test("without a majority an acquire fails in bounded time; once queued it waits through the outage") {
        runTest {
            val masters = masters()
            val mutex = client(masters).mutex("m")
            val other = client(masters).mutex("m")
            masters.stop(0)
            masters.stop(2)
            shouldThrow<StoreUnavailableException> { mutex.lock() }.message shouldContain "master 0"
            currentTime.shouldBeBetween(10_000, 10_100)
            shouldThrow<StoreUnavailableException> { mutex.tryLock() }
            currentTime.shouldBeBetween(20_000, 20_200)
            masters.start(0, keepsData = true)
            val permit = mutex.lock()
            val waiting = async { other.lock() }
            delay(100)
            masters.stop(0)
            delay(30.seconds)
            permit.isLost.shouldBeTrue()
            masters.start(0, keepsData = true)
            waiting.await()
        }
    }

    test("with MasterErrors.THROW the error of one master fails an acquire, and leaves nothing behind") {
        runTest {
            val masters = masters()
            val strict = Signalbox.inMemoryQuorum(masters, backgroundScope) { onMasterError = MasterErrors.THROW }.mutex("m")
            val lenient = client(masters).mutex("m")
            strict.lock().release().shouldBeTrue()
            masters.stop(1)
            shouldThrow<StoreUnavailableException> { strict.lock() }.message shouldContain "master 1"
            shouldThrow<StoreUnavailableException> { strict.tryLock() }.message shouldContain "onMasterError = THROW"
            lenient.tryLock().shouldNotBeNull().release()
        }
    }

    test("waiting costs no time when a permit is handed on, and a process's many waiters share few bids") {
        runTest {
            val masters = masters()
            val semaphores = List(3) { client(masters).semaphore("s", 2) }
            val jobs = semaphores.flatMap { semaphore -> List(10) { launch { semaphore.withPermit { delay(100) } } } }
            delay(50)
            (semaphores[0].snapshot().waiting in 1..6).shouldBeTrue()
            jobs.forEach { it.join() }
            currentTime.shouldBeBetween(1_500, 1_600)
        }
    }
})

private fun TestScope.masters() = InMemoryMasters(timeSource = testTimeSource)

private fun TestScope.client(masters: InMemoryMasters) =
    Signalbox.inMemoryQuorum(masters, backgroundScope + Job(backgroundScope.coroutineContext[Job]))
