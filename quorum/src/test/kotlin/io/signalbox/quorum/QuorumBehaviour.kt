package io.signalbox.quorum

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.core.spec.style.funSpec
import io.kotest.matchers.booleans.shouldBeFalse
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeUnique
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.AcquireTimeoutException
import io.signalbox.Permit
import io.signalbox.PermitsMismatchException
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.use
import java.util.UUID
import java.util.concurrent.atomic.AtomicInteger
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield

/** Where the behaviour suite runs. */
internal interface Quorums {
    /** Another client of the same masters. */
    fun connect(configure: QuorumSettings.() -> Unit = {}): SignalboxQuorum
}

class InMemoryQuorumSpec : FunSpec({
    val masters = InMemoryMasters()
    include(
        behaviour(
            object : Quorums {
                override fun connect(configure: QuorumSettings.() -> Unit) = Signalbox.inMemoryQuorum(masters, configure = configure)
            },
        ),
    )
})

class RedisQuorumSpec : FunSpec({
    val masters by lazy { Masters(lease = 10.seconds, servers = Masters.shared) }
    afterSpec { masters.end() }
    include(
        behaviour(
            object : Quorums {
                override fun connect(configure: QuorumSettings.() -> Unit) = masters.connect(configure = configure)
            },
        ),
    )
})

internal fun behaviour(quorums: Quorums) =
    funSpec {
        fun name() = "s-${UUID.randomUUID()}"
        val here by lazy { quorums.connect() }
        val there by lazy { quorums.connect() }
        afterSpec {
            here.close()
            there.close()
        }

        test("as many as there are permits hold at the same time, over all clients") {
            val name = name()
            val mine = here.semaphore(name, 2)
            val theirs = there.semaphore(name, 2)
            val first = mine.acquire()
            val second = theirs.acquire()
            mine.tryAcquire().shouldBeNull()
            theirs.tryAcquire(20.milliseconds).shouldBeNull()
            shouldThrow<AcquireTimeoutException> { mine.acquire(20.milliseconds) }.message shouldContain name
            first.release().shouldBeTrue()
            theirs.tryAcquire().shouldNotBeNull().release().shouldBeTrue()
            second.release().shouldBeTrue()
        }

        test("who waits in another client is granted what is released") {
            val name = name()
            val permit = here.mutex(name).lock()
            coroutineScope {
                val waiting = async { there.mutex(name).lock() }
                eventually(5.seconds) { here.mutex(name).snapshot().waiting shouldBe 1 }
                permit.release().shouldBeTrue()
                val theirs = withTimeout(5.seconds) { waiting.await() }
                theirs.fencingToken shouldBeGreaterThan permit.fencingToken
                theirs.release().shouldBeTrue()
            }
        }

        test("tokens of a mutex grow from holder to holder, whoever that is") {
            val name = name()
            val tokens = ArrayList<Long>()
            coroutineScope {
                listOf(here, there).forEach { client ->
                    repeat(5) { launch { repeat(10) { client.mutex(name).withLock { tokens += it.fencingToken } } } }
                }
            }
            tokens.size shouldBe 100
            tokens shouldBe tokens.sorted()
            tokens.shouldBeUnique()
        }

        test("tokens of a semaphore are unique, and below 2^53") {
            val name = name()
            val semaphores = listOf(here, there).map { it.semaphore(name, 5) }
            val tokens = withContext(Dispatchers.Default) {
                (1..60).map { async { semaphores[it % 2].withPermit { it.fencingToken } } }.awaitAll()
            }
            tokens.shouldBeUnique()
            (tokens.max() < 1L shl 53).shouldBeTrue()
        }

        test("never more hold than there are permits while many want one") {
            val name = name()
            val inside = AtomicInteger()
            val most = AtomicInteger()
            withContext(Dispatchers.Default) {
                listOf(here, there).forEach { client ->
                    repeat(10) {
                        launch {
                            repeat(5) {
                                client.semaphore(name, 3).withPermit {
                                    most.accumulateAndGet(inside.incrementAndGet(), ::maxOf)
                                    yield()
                                    inside.decrementAndGet()
                                }
                            }
                        }
                    }
                }
            }
            (most.get() in 1..3).shouldBeTrue()
            // The end of a block does not wait for the masters.
            eventually(10.seconds) { here.semaphore(name, 3).snapshot().heldPermits shouldBe 0 }
        }

        test("a cancelled acquire leaves the queues, and what it is granted at that moment goes back") {
            val name = name()
            val permit = here.mutex(name).lock()
            coroutineScope {
                val waiting = launch { there.mutex(name).lock() }
                eventually(5.seconds) { here.mutex(name).snapshot().waiting shouldBe 1 }
                waiting.cancelAndJoin()
            }
            eventually(5.seconds) { here.mutex(name).snapshot().waiting shouldBe 0 }
            permit.release()
            repeat(30) {
                coroutineScope {
                    val racing = launch(Dispatchers.Default) { there.mutex(name).lock().release() }
                    here.mutex(name).withLock { }
                    racing.cancelAndJoin()
                }
            }
            withTimeout(5.seconds) { here.mutex(name).lock().release().shouldBeTrue() }
        }

        test("a second release is misuse, and so is extending") {
            val permit = here.mutex(name()).lock()
            shouldThrow<IllegalStateException> { permit.extend(1.seconds) }.message shouldContain "no maxHold"
            permit.release().shouldBeTrue()
            shouldThrow<IllegalStateException> { permit.release() }.message shouldContain "already released"
            permit.isLost.shouldBeFalse()
        }

        test("a mutex is not reentrant") {
            val mutex = here.mutex(name())
            mutex.withLock {
                shouldThrow<IllegalStateException> { mutex.lock() }.message shouldContain "not reentrant"
                mutex.tryLock(1.seconds).shouldBeNull()
            }
            mutex.tryLock().shouldNotBeNull().release()
        }

        test("another count is an error; the same name is the same object") {
            val name = name()
            val semaphore = here.semaphore(name, 3)
            (here.semaphore(name, 3) === semaphore).shouldBeTrue()
            shouldThrow<IllegalArgumentException> { here.semaphore(name, 4) }.message shouldContain "one handle per name"
            val mismatch = shouldThrow<PermitsMismatchException> { there.semaphore(name, 4) }
            mismatch.declared shouldBe 3
            mismatch.requested shouldBe 4
        }

        test("resizing holds for all clients: growing wakes, shrinking revokes nothing") {
            val name = name()
            val mine = here.semaphore(name, 1)
            val theirs = there.semaphore(name, 1)
            val first = mine.acquire()
            coroutineScope {
                val waiting = async { theirs.acquire() }
                eventually(5.seconds) { mine.snapshot().waiting shouldBe 1 }
                mine.resize(2)
                val second = withTimeout(5.seconds) { waiting.await() }
                theirs.permits() shouldBe 2
                theirs.resize(1)
                mine.permits() shouldBe 1
                mine.availablePermits() shouldBe 0
                second.isLost.shouldBeFalse()
                second.release().shouldBeTrue()
            }
            first.release().shouldBeTrue()
            mine.tryAcquire().shouldNotBeNull().use { theirs.tryAcquire().shouldBeNull() }
        }

        test("a snapshot tells who holds, and how the masters are") {
            val name = name()
            val labelled = quorums.connect { label = "the holder" }
            val permit = labelled.semaphore(name, 2).acquire()
            val snapshot = here.semaphore(name, 2).snapshot()
            snapshot.heldPermits shouldBe 1
            snapshot.availablePermits shouldBe 1
            snapshot.declaredPermits shouldBe 2
            snapshot.hasMajority.shouldBeTrue()
            snapshot.masters shouldHaveSize 3
            snapshot.holders.single().let {
                it.label shouldBe "the holder"
                it.fencingToken shouldBe permit.fencingToken
                (it.remainingLease > Duration.ZERO).shouldBeTrue()
            }
            here.semaphore(name, 2).isLocked().shouldBeFalse()
            labelled.closeAndJoin()
            eventually(5.seconds) { here.semaphore(name, 2).availablePermits() shouldBe 2 }
        }

        test("closing gives back what is held, loses it, and ends whoever waits") {
            val name = name()
            val client = quorums.connect()
            val permit = client.mutex(name).lock()
            var wasTold = false
            permit.onLost { wasTold = true }
            coroutineScope {
                val waiting = async { runCatching { client.mutex(name).lock() } }
                eventually(5.seconds) { here.mutex(name).snapshot().waiting shouldBe 1 }
                client.closeAndJoin()
                (waiting.await().exceptionOrNull() is SignalboxClosedException).shouldBeTrue()
            }
            wasTold.shouldBeTrue()
            permit.isLost.shouldBeTrue()
            shouldThrow<SignalboxClosedException> { client.mutex(name).lock() }
            withTimeout(5.seconds) { here.mutex(name).lock().release() }
        }

        for (span in listOf(Long.MAX_VALUE.nanoseconds, Duration.INFINITE)) {
            test("$span is for ever wherever somebody waits, and refused where it cannot be meant") {
                for ((what, settings) in listOf<Pair<String, QuorumSettings.() -> Unit>>(
                    "lease" to { lease = span },
                    "longestLease" to { longestLease = span },
                    "storeTimeout" to { storeTimeout = span },
                )) {
                    shouldThrow<IllegalArgumentException> { quorums.connect(settings) }.message shouldContain "$what must be at most"
                }
                val name = name()
                val semaphore = here.semaphore(name, 1) { acquireTimeout = span }
                val mutex = here.mutex(name) { lockTimeout = span }
                coroutineScope {
                    for (call in listOf<suspend () -> Permit?>(
                        { semaphore.acquire() },
                        { semaphore.acquire(timeout = span) },
                        { semaphore.tryAcquire(timeout = span) },
                        { mutex.lock() },
                        { mutex.lock(timeout = span) },
                        { mutex.tryLock(timeout = span) },
                    )) {
                        val held = listOf(there.semaphore(name, 1).acquire(), there.mutex(name).lock())
                        val waiting = async { call() }
                        eventually(5.seconds) { (semaphore.snapshot().waiting + mutex.snapshot().waiting) shouldBe 1 }
                        held.forEach { it.release() }
                        waiting.await().shouldNotBeNull().release().shouldBeTrue()
                    }
                }
            }
        }

        test("bad arguments are refused before anything is asked") {
            shouldThrow<IllegalArgumentException> { here.semaphore("", 1) }
            shouldThrow<IllegalArgumentException> { here.semaphore("a{b", 1) }
            shouldThrow<IllegalArgumentException> { here.semaphore("a", 0) }.message shouldContain "1 to 1024, but was 0"
            shouldThrow<IllegalArgumentException> { here.semaphore("a", 1025) }
            shouldThrow<IllegalArgumentException> { here.semaphore("a", 1) { acquireTimeout = Duration.ZERO } }
            val semaphore = here.semaphore(name(), 1)
            shouldThrow<IllegalArgumentException> { semaphore.acquire((-1).seconds) }
            shouldThrow<IllegalArgumentException> { semaphore.resize(0) }
            shouldThrow<IllegalArgumentException> { semaphore.snapshot(0) }
            shouldThrow<IllegalArgumentException> { quorums.connect { lease = Duration.ZERO } }
            shouldThrow<IllegalArgumentException> {
                quorums.connect {
                    lease = 2.seconds
                    longestLease = 1.seconds
                }
            }.message shouldContain "longestLease"
        }
    }
