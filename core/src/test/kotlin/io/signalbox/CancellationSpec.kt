package io.signalbox

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlin.time.Duration
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

/**
 * Cancellation at every moment: each scenario is run again and again, its victim cancelled one step later each time, until it
 * ends before its cancellation. Afterwards all permits are free, nobody waits, and the next acquires work.
 */
class CancellationSpec : FunSpec({
    cancelled("acquire of a free permit", leastSteps = 3) { here.acquire().keep() }

    cancelled("acquire that waits for another coroutine of the client") {
        here.lend()
        here.acquire().keep()
    }

    cancelled("acquire that waits for another client") {
        there.lend()
        here.acquire().keep()
    }

    cancelled("acquire of several permits that come back one by one") {
        repeat(3) { there.lend(permits = 1) }
        here.acquire(permits = 3).keep()
    }

    cancelled("acquire in front of others") {
        there.lend()
        test.launch { repeat(2) { here.acquire().release() } }
        test.launch { there.acquire(permits = 2).release() }
        here.acquire(permits = 3).keep()
    }

    cancelled("acquire with a time limit that is met") {
        there.lend()
        here.acquire(timeout = 1.minutes).keep()
    }

    cancelled("tryAcquire", leastSteps = 3) { here.tryAcquire().shouldNotBeNull().keep() }

    cancelled("tryAcquire that is refused", leastSteps = 3) {
        there.lend()
        here.tryAcquire() shouldBe null
    }

    cancelled("tryAcquire with a time limit that is met") {
        there.lend()
        here.tryAcquire(timeout = 1.minutes).shouldNotBeNull().keep()
    }

    cancelled("tryAcquire with a time limit that passes") {
        there.lend(time = 2.seconds)
        here.tryAcquire(timeout = 1.seconds) shouldBe null
    }

    cancelled("tryAcquire with a time limit that passes at the moment of the grant") {
        there.lend(time = 1.seconds)
        here.tryAcquire(timeout = 1.seconds)?.keep()
    }

    cancelled("withPermit") {
        there.lend()
        here.withPermit { repeat(3) { yield() } }
    }

    cancelled("withPermit with a max hold") {
        limited.withPermit {
            repeat(3) { yield() }
            it.extend(1.minutes)
        }
    }

    cancelled("acquire with a minimum hold, which nobody has who has not seen the permit,") {
        there.lend()
        val permit = here.acquire(minHold = 1.hours)
        withContext(NonCancellable) { here.revoke(permit.fencingToken) shouldBe true }
    }

    cancelled("release", leastSteps = 1) {
        val permit = withContext(NonCancellable) { here.acquire(permits = 2) }
        permit.release()
    }

    cancelled("acquire after the client was idle for so long that its session is over") {
        there.lend()
        pass(2.minutes)
        here.acquire().keep()
    }

    cancelled("acquire that waits while the store loses its data") {
        there.lend(time = 100.seconds)
        test.launch {
            repeat(5) { yield() }
            loseData()
        }
        here.acquire().keep()
    }

    cancelled("acquire after the store has lost its data, while others put their permits back") {
        there.lend(permits = 2, time = 1.seconds)
        loseData()
        here.tryAcquire(permits = 2, timeout = 2.seconds)?.keep()
    }

    cancelled("questions") {
        here.permits()
        here.isLocked()
        here.snapshot()
    }

    cancelled("semaphore, attach and acquire in a new client") {
        val client = connect()
        client.attach("other").acquire().keep()
        client.semaphore("new", permits = 1)
        client.semaphore("new", permits = 1).acquire().keep()
    }

    test("a client survives that its first semaphore call is cancelled at any moment") {
        everyStep { k ->
            val steps = Steps()
            val client = Signalbox.inMemory(InMemoryStore(testTimeSource), backgroundScope)
            val ended = steps.cancelAt(k, this) { client.semaphore("api", permits = 1) }
            client.semaphore("api", permits = 1).acquire().holdersAtGrant shouldBe 1
            ended
        }
    }

    test("closing is completed although closeAndJoin is cancelled at any moment") {
        everyStep { k ->
            val steps = Steps()
            val store = InMemoryStore(testTimeSource)
            val client = Signalbox.inMemory(store, backgroundScope)
            client.semaphore("api", permits = 1).acquire()
            val ended = steps.cancelAt(k, this) { client.closeAndJoin() }
            runCurrent()
            if (k > 0) Signalbox.inMemory(store, backgroundScope).semaphore("api", permits = 1).availablePermits() shouldBe 1
            ended
        }
    }
})

/** What a scenario has: a semaphore of 3 permits in two clients, and in a third whose holds are limited. */
private class Scene(
    val test: TestScope,
    private val scheduling: CoroutineScope,
    private val store: InMemoryStore,
) {
    lateinit var here: Semaphore
    lateinit var there: Semaphore
    lateinit var limited: Semaphore
    private val kept = mutableListOf<Permit>()

    suspend fun prepare() {
        here = connect().semaphore("api", permits = 3)
        there = connect().semaphore("api", permits = 3)
        limited = connect().semaphore("api", permits = 3) { maxHold = 10.minutes }
        connect().semaphore("other", permits = 1)
    }

    fun connect() = Signalbox.inMemory(store, scheduling)

    /** From now on [permits] are held, for a while. */
    suspend fun Semaphore.lend(
        permits: Int = 3,
        time: Duration = Duration.ZERO,
    ) = withContext(NonCancellable) {
        val permit = acquire(permits)
        test.launch {
            if (time > Duration.ZERO) delay(time) else repeat(6) { yield() }
            permit.release()
        }
    }

    suspend fun pass(time: Duration) = withContext(NonCancellable) { delay(time) }

    fun loseData() = store.ledgers.clear()

    /** The caller has got it: from now on it is the caller's to release, whatever happens. */
    fun Permit.keep() {
        kept += this
    }

    suspend fun checkThatNothingIsLeft() {
        test.advanceTimeBy(200.seconds)
        kept.forEach { it.release() shouldBe true }
        test.advanceTimeBy(5.seconds)
        here.availablePermits() shouldBe 3
        here.snapshot().run {
            queueLength shouldBe 0
            heldPermits shouldBe 0
        }
        for (semaphore in listOf(here, there, limited)) semaphore.acquire(permits = 3, timeout = 1.seconds).release() shouldBe true
    }
}

private fun FunSpec.cancelled(
    what: String,
    leastSteps: Int = 5,
    victim: suspend Scene.() -> Unit,
) {
    test("$what leaves nothing behind, wherever it is cancelled") {
        everyStep(leastSteps) { k ->
            val steps = Steps()
            val clients = steps.over(backgroundScope)
            val scene = Scene(this, clients, InMemoryStore(testTimeSource)).apply { prepare() }
            val ended = steps.cancelAt(k, this) { scene.victim() }
            scene.checkThatNothingIsLeft()
            ended
        }
    }
}

/** Runs [scenario] with 0, 1, 2... steps until it says that it ended before it was cancelled. */
private fun everyStep(
    least: Int = 1,
    scenario: suspend TestScope.(steps: Int) -> Boolean,
) {
    var k = 0
    do {
        var ended = false
        runTest { withClue("cancelled before step $k") { ended = scenario(k++) } }
    } while (!ended)
    k shouldBeGreaterThan least
}

/** Starts [victim] and cancels it before the [k]-th step from now on. Returns whether it had ended by then. */
private suspend fun Steps.cancelAt(
    k: Int,
    test: TestScope,
    victim: suspend CoroutineScope.() -> Unit,
): Boolean {
    val job = over(test).launch(start = CoroutineStart.UNDISPATCHED) { victim() }
    var cancelled = false
    before(k) {
        cancelled = job.isActive
        job.cancel()
    }
    job.join()
    return !cancelled
}
