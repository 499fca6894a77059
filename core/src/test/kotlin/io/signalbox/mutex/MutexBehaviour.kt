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
import io.signalbox.LeaseLostException
import io.signalbox.Mutex
import io.signalbox.MutexSettings
import io.signalbox.SignalboxClosedException
import io.signalbox.behaviour.Ability
import io.signalbox.behaviour.Backend
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.withClients
import io.signalbox.withLock
import kotlin.time.Duration
import kotlin.time.Duration.Companion.days
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.launch
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
        if (needs.none { it in backend.lacks }) test(name) { withClients(backend.emptyStore(), body) }
    }

    private suspend fun Clients.mutex(): Mutex = client().mutex("report")

    init {
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
                shouldThrow<IllegalStateException> { mutex.tryLock(timeout = 1.seconds) }
                mutex.tryLock() shouldBe null
                // The block waits for its children, so they would wait for ever too.
                launch { shouldThrow<IllegalStateException> { mutex.withLock { } } }
            }
            mutex.withLock { "again" } shouldBe "again"
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
