package io.signalbox.mutex

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.booleans.shouldBeTrue
import io.kotest.matchers.collections.shouldBeSorted
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.kotest.matchers.types.shouldBeSameInstanceAs
import io.signalbox.AcquireTimeoutException
import io.signalbox.Attempt
import io.signalbox.DeletedException
import io.signalbox.LeaseLostException
import io.signalbox.Mutex
import io.signalbox.MutexSettings
import io.signalbox.SignalboxClosedException
import io.signalbox.TooManyWaitersException
import io.signalbox.behaviour.Ability
import io.signalbox.behaviour.Backend
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.Store
import io.signalbox.behaviour.plays
import io.signalbox.behaviour.withClients
import io.signalbox.tryWithLock
import io.signalbox.withLock
import io.signalbox.withLocks
import io.signalbox.withReentrantLock
import kotlin.random.Random
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

class InMemoryMutexSpec : MutexBehaviour(InMemory)

class RedisMutexSpec : MutexBehaviour(Redis())

/** What a mutex does, whatever store it is on. What it shares with a semaphore is tested there. */
abstract class MutexBehaviour(
    private val backend: Backend,
) : FunSpec() {
    private fun behaviour(
        name: String,
        vararg needs: Ability,
        body: suspend Clients.() -> Unit,
    ) {
        if (backend.plays(needs)) test(name) { play(backend.emptyStore(), body) }
    }

    /** Has the clients of [store] do what a test wants of them. */
    protected open suspend fun play(
        store: Store,
        body: suspend Clients.() -> Unit,
    ) = withClients(store, body)

    private suspend fun Clients.mutex(): Mutex = client().mutex("report")

    init {
        behaviour("a block with a time limit for its lock runs if it is granted in time") {
            val mutex = mutex()
            mutex.withLock(timeout = PATIENCE) { it.permits } shouldBe 1
            mutex.tryWithLock { null } shouldBe mutex.tryWithLock(timeout = PATIENCE) { null }
            val holder = mutex().lock()
            shouldThrow<AcquireTimeoutException> { mutex.withLock(timeout = 20.milliseconds) { error("not in time") } }
            mutex.tryWithLock { "ran" } shouldBe Attempt.NotInTime
            mutex.tryWithLock(timeout = 20.milliseconds) { null } shouldBe Attempt.NotInTime
            holder.release()
        }

        behaviour("a lock may limit its own hold") {
            val mutex = mutex()
            shouldThrow<LeaseLostException> { mutex.withLock(maxHold = 30.milliseconds) { awaitCancellation() } }
            mutex.lock(maxHold = 1.hours).run {
                mutex.owner()?.remainingHold.shouldNotBeNull()
                release() shouldBe true
            }
            mutex.tryLock(maxHold = 1.hours).shouldNotBeNull().release() shouldBe true
        }

        behaviour("a lock with a minimum hold keeps others out, however soon its block ends, and names who had it") {
            val mutex = client { label = "billing-3" }.mutex("report")
            val token = mutex.withLock(minHold = 1.hours) { it.fencingToken }
            mutex.isLocked() shouldBe true
            val there = mutex()
            there.owner().shouldNotBeNull().run {
                isKept shouldBe true
                label shouldBe "billing-3"
                fencingToken shouldBe token
            }
            there.tryLock(timeout = 20.milliseconds) shouldBe null
            there.tryWithLock(minHold = 1.hours) { error("not in time") } shouldBe Attempt.NotInTime
            there.revoke(token) shouldBe true
            there.tryWithLock(maxHold = 1.hours, minHold = 50.milliseconds) { "ran" } shouldBe Attempt.Ran("ran")
            mutex.lock(minHold = 50.milliseconds).run {
                fencingToken shouldBeGreaterThan token + 50_000 - 1_000
                release() shouldBe true
            }
            mutex.tryLock(timeout = PATIENCE, minHold = 1.milliseconds).shouldNotBeNull().release() shouldBe true
            shouldThrow<IllegalArgumentException> { mutex.lock(maxHold = 1.seconds, minHold = 2.seconds) }.message shouldContain "minHold"
        }

        behaviour("a reentrant block runs inside of its own kind under the same permit, and gives nothing back", Ability.OWN_WITH_LOCK) {
            val mutex = mutex()
            val tokens = mutex.withReentrantLock { outer ->
                val inner = mutex.withReentrantLock { again ->
                    withContext(Dispatchers.Default) { coroutineScope { mutex.withReentrantLock { listOf(again, it) } } }
                }
                mutex.isLocked() shouldBe true
                mutex().tryLock() shouldBe null
                (inner + outer).map { it.fencingToken }.toSet()
            }
            tokens.size shouldBe 1
            mutex.isLocked() shouldBe false
        }

        behaviour("who runs beside a reentrant block does not hold it, nor does a plain block around", Ability.OWN_WITH_LOCK) {
            val mutex = mutex()
            mutex.withReentrantLock {
                async { shouldThrow<IllegalStateException> { mutex.withReentrantLock { } } }.await()
                launch { shouldThrow<IllegalStateException> { mutex.lock() } }.join()
                // Another mutex's block in between changes nothing of that.
                client().mutex("other").withLock {
                    mutex.withReentrantLock { it.permits } shouldBe 1
                    async { shouldThrow<IllegalStateException> { mutex.withReentrantLock { } } }.await()
                }
                shouldThrow<IllegalStateException> { mutex.withLock { } }
            }
            mutex.withLock { shouldThrow<IllegalStateException> { mutex.withReentrantLock { } } }
            mutex.withReentrantLock { it.permits } shouldBe 1
        }

        behaviour("several locks are taken in the order of their names, so that nobody waits in a circle") {
            val names = listOf("a", "b", "c")
            var inside = 0
            List(12) { nth ->
                val mine = client().let { client -> names.shuffled(Random(nth)).map { client.mutex(it) } }
                async {
                    withLocks(mine) { permits ->
                        permits.map { it.name } shouldBe mine.map { it.name }
                        inside++ shouldBe 0
                        yield()
                        inside--
                    }
                }
            }.awaitAll()
            val client = client()
            withLocks(client.mutex("a"), client.mutex("b")) { it.size } shouldBe 2
            val held = client().mutex("b").lock()
            shouldThrow<AcquireTimeoutException> { withLocks(names.map { client.mutex(it) }, timeout = 20.milliseconds) { } }
            held.release()
            names.forEach { client().mutex(it).tryLock().shouldNotBeNull().release() }
            shouldThrow<IllegalArgumentException> { withLocks(emptyList()) { } }
            shouldThrow<IllegalArgumentException> { withLocks(client.mutex("a"), client().mutex("a")) { } }.message shouldContain "'a'"
        }

        behaviour("an operator takes a lock away, or ends the mutex") {
            val holder = client { lease = 1.seconds }.mutex("report")
            val lock = holder.lock()
            val operator = mutex()
            operator.revoke(lock.fencingToken) shouldBe true
            eventually(PATIENCE) { lock.isLost.shouldBeTrue() }
            val other = operator.lock()
            val waiting = start { shouldThrow<DeletedException> { holder.lock() } }
            eventually(PATIENCE) { operator.snapshot().queueLength shouldBe 1 }
            operator.delete() shouldBe true
            waiting.await().semaphore shouldBe "report"
            other.isLost.shouldBeTrue()
            mutex().tryLock().shouldNotBeNull().fencingToken shouldBeGreaterThan other.fencingToken
        }

        behaviour("too many who wait for a lock are refused, and a lazy handle is the same mutex") {
            val client = client()
            val lazy = client.lazyMutex("later") { maxWaiters = 1 }
            val held = lazy.lock()
            val waiting = start { client().mutex("later").lock() }
            waiting.cancel()
            val second = start { lazy.lock() }
            shouldThrow<TooManyWaitersException> { lazy.lock() }.semaphore shouldBe "later"
            held.release()
            second.await().release()
        }

        behaviour("one block at a time, over clients, with growing tokens") {
            val handles = List(3) { mutex() }
            var inside = 0
            val tokens = mutableListOf<Long>()
            List(60) { i ->
                async {
                    handles[i % 3].withLock { permit ->
                        inside++
                        yield()
                        inside shouldBe 1
                        tokens += permit.fencingToken
                        inside--
                    }
                }
            }.awaitAll()
            tokens.size shouldBe 60
            tokens.shouldBeSorted()
        }

        behaviour("withLock returns what the block returns, throws what it throws, and unlocks on both ways") {
            val mutex = mutex()
            mutex.withLock { "result" } shouldBe "result"
            shouldThrow<IllegalStateException> { mutex.withLock { error("broken") } }.message shouldBe "broken"
            mutex.isLocked() shouldBe false
        }

        behaviour("tryLock takes a free lock and no other") {
            val here = mutex()
            val there = mutex()
            val permit = here.tryLock().shouldNotBeNull()
            there.tryLock() shouldBe null
            there.tryLock(timeout = 20.milliseconds) shouldBe null
            there.isLocked() shouldBe true
            permit.release() shouldBe true
            there.tryLock(timeout = PATIENCE).shouldNotBeNull().release()
            here.isLocked() shouldBe false
        }

        behaviour("lock with a time limit says which mutex was not granted") {
            val permit = mutex().lock()
            val failure = shouldThrow<AcquireTimeoutException> { mutex().lock(timeout = 20.milliseconds) }
            failure.semaphore shouldBe "report"
            failure.message shouldContain "mutex 'report'"
            permit.release()
        }

        behaviour("lockTimeout limits every lock() of the handle") {
            mutex().lock()
            val impatient = client().mutex("report") { lockTimeout = 20.milliseconds }
            shouldThrow<AcquireTimeoutException> { impatient.lock() }
        }

        behaviour("the owner is listed with client, label, token and lease, and nobody when it is free") {
            val mutex = client { label = "billing-3" }.mutex("report")
            mutex.owner() shouldBe null
            val permit = mutex.lock()
            val owner = mutex().owner().shouldNotBeNull()
            owner.label shouldBe "billing-3"
            owner.fencingToken shouldBe permit.fencingToken
            (owner.remainingLease > Duration.ZERO).shouldBeTrue()
            permit.release()
            mutex().owner() shouldBe null
        }

        behaviour("who waits is listed in order") {
            val permit = mutex().lock()
            val waiting = client { label = "second" }.mutex("report")
            val next = start { waiting.lock() }
            eventually(PATIENCE) { waiting.snapshot().queue.map { it.label } shouldBe listOf("second") }
            permit.release()
            next.await().fencingToken shouldBeGreaterThan permit.fencingToken
        }

        behaviour("a coroutine that asks again for what it holds gets an error, not a deadlock", Ability.OWN_WITH_LOCK) {
            val mutex = mutex()
            mutex.withLock {
                shouldThrow<IllegalStateException> { mutex.withLock { } }.message shouldContain
                    "'report' is already locked by this coroutine"
                shouldThrow<IllegalStateException> { mutex.lock() }
                shouldThrow<IllegalStateException> { mutex.lock(timeout = 1.seconds) }
                // Whoever only tries is answered, however long he would have waited.
                mutex.tryLock(timeout = 1.hours) shouldBe null
                mutex.tryLock() shouldBe null
                // The block waits for its children, so they would wait for ever too.
                launch { shouldThrow<IllegalStateException> { mutex.withLock { } } }
            }
            mutex.withLock { "again" } shouldBe "again"
        }

        behaviour("a lock that its block has released can be taken again by it", Ability.OWN_WITH_LOCK) {
            val mutex = mutex()
            var again = 0L
            shouldThrow<IllegalStateException> {
                mutex.withLock { permit ->
                    mutex.tryLock(timeout = 1.hours) shouldBe null
                    permit.release() shouldBe true
                    mutex.lock().run {
                        again = fencingToken
                        release() shouldBe true
                    }
                }
            }.message shouldContain "already released"
            again shouldBeGreaterThan 0
            mutex.tryLock(timeout = PATIENCE).shouldNotBeNull().release() shouldBe true
        }

        behaviour("other mutexes can be locked inside a block, and each knows its own", Ability.OWN_WITH_LOCK) {
            val client = client()
            val outer = client.mutex("outer")
            val inner = client.mutex("inner")
            outer.withLock {
                inner.withLock {
                    shouldThrow<IllegalStateException> { outer.lock() }
                    shouldThrow<IllegalStateException> { inner.lock() }
                }
                inner.withLock { "again" } shouldBe "again"
            }
        }

        behaviour("a coroutine that is no child of the block waits, and is served") {
            val mutex = mutex()
            val other = mutex.withLock { this@behaviour.start { mutex.withLock { "served" } } }
            other.await() shouldBe "served"
        }

        behaviour("a lock held for longer than maxHold is lost, and its block cancelled", Ability.OWN_WITH_LOCK) {
            val mutex = client().mutex("report") { maxHold = 50.milliseconds }
            val next = mutex()
            val lost = shouldThrow<LeaseLostException> { mutex.withLock { awaitCancellation() } }
            lost.message shouldContain "mutex 'report'"
            next.lock().fencingToken shouldBeGreaterThan lost.fencingToken
        }

        behaviour("a mutex and a semaphore of one name have nothing to do with each other") {
            val client = client()
            val semaphore = client.semaphore("report", permits = 5)
            val permit = client.mutex("report").lock()
            semaphore.acquire(permits = 5).release() shouldBe true
            permit.release() shouldBe true
        }

        behaviour("bad settings and arguments are refused by name and value", Ability.KOTLIN_SETTINGS) {
            val client = client()
            for ((configure, shown) in listOf<Pair<MutexSettings.() -> Unit, String>>(
                Pair({ lockTimeout = Duration.ZERO }, "lockTimeout must be longer than zero, but was 0s"),
                Pair({ maxHold = (-1).seconds }, "maxHold must be longer than zero, but was -1s"),
                Pair({ maxHold = 366.days }, "maxHold must be at most 365d"),
            )) {
                shouldThrow<IllegalArgumentException> { client.mutex("report", configure) }.message shouldContain shown
            }
            store.knows("report") shouldBe false
            shouldThrow<IllegalArgumentException> { client.mutex("report").lock(timeout = (-1).seconds) }.message shouldContain "-1s"
            shouldThrow<IllegalArgumentException> { client.mutex("report").snapshot(limit = 0) }.message shouldContain "limit"
        }

        behaviour("a client has one handle per name, with one kind of settings") {
            val client = client()
            val mutex = client.mutex("report")
            client.mutex("report") shouldBeSameInstanceAs mutex
            shouldThrow<IllegalArgumentException> { client.mutex("report") { maxHold = 1.seconds } }.message shouldContain
                "one handle per name"
        }

        behaviour("closing the client unlocks, and ends waiting") {
            val closing = client()
            val permit = closing.mutex("report").lock()
            val waiting = start { runCatching { closing.mutex("report").lock() }.exceptionOrNull() }
            closing.closeAndJoin()
            (waiting.await() is SignalboxClosedException).shouldBeTrue()
            permit.isLost shouldBe true
            mutex().lock(timeout = PATIENCE).release() shouldBe true
        }
    }
}
