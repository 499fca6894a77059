package io.signalbox

import io.kotest.assertions.throwables.shouldThrow
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import kotlinx.coroutines.test.testTimeSource
import kotlinx.coroutines.withTimeout

/** A client whose scope is cancelled, the way to have a process crash in a test: it says nothing more, and every call to it ends. */
class CrashedClientSpec : FunSpec({
    class Things(
        val client: Signalbox,
        val semaphore: Semaphore,
        val mutex: Mutex,
        val event: Event,
        val pool: Semaphore,
        val held: List<Permit>,
    ) {
        val calls: Map<String, suspend () -> Any?> =
            mapOf(
                "acquire" to { semaphore.acquire() },
                "acquire(timeout)" to { semaphore.acquire(timeout = 60.seconds) },
                "tryAcquire" to { semaphore.tryAcquire() },
                "tryAcquire(timeout)" to { semaphore.tryAcquire(timeout = 60.seconds) },
                "withPermit" to { semaphore.withPermit { } },
                "permits" to { semaphore.permits() },
                "isLocked" to { semaphore.isLocked() },
                "resize" to { semaphore.resize(5) },
                "snapshot" to { semaphore.snapshot() },
                "lock" to { mutex.lock() },
                "withLock" to { mutex.withLock { } },
                "set" to { event.set() },
                "await" to { event.await() },
                "isSet" to { event.isSet() },
                "clear" to { event.clear() },
                "pool" to { pool.acquire() },
                "semaphore" to { client.semaphore("other", 1) },
                "the same semaphore" to { client.semaphore("api", 2) },
                "attach" to { client.attach("api") },
                "mutex" to { client.mutex("other") },
                "event" to { client.event("other") },
                "statistics" to { client.statistics() },
            )
    }

    suspend fun things(client: Signalbox): Things {
        val semaphore = client.semaphore("api", permits = 2)
        val pool = client.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }
        val mutex = client.mutex("api")
        val held = listOf(semaphore.acquire(permits = 2), mutex.lock(), pool.acquire())
        return Things(client, semaphore, mutex, client.event("api"), pool, held)
    }

    test("in virtual time: calls from then on are refused at once, and those on their way end") {
        runTest {
            val store = InMemoryStore(testTimeSource)
            val crashing = CoroutineScope(backgroundScope.coroutineContext + Job())
            val things = things(Signalbox.inMemory(store, crashing))
            val onTheirWay = things.calls.filterKeys { it in setOf("acquire", "lock", "await", "pool", "acquire(timeout)") }
                .mapValues { (_, call) -> async { runCatching { call() } } }
            runCurrent()
            crashing.cancel()
            val before = currentTime
            for ((name, call) in things.calls) withClue(name) { shouldThrow<SignalboxClosedException> { call() } }
            for ((name, call) in onTheirWay) withClue(name) { (call.await().exceptionOrNull() is SignalboxClosedException) shouldBe true }
            things.held.forEach { it.release() shouldBe false }
            things.client.closeAndJoin()
            // Nothing has waited for anything.
            currentTime shouldBe before
            // And nothing was said to the store: the permits come back with the lease.
            Signalbox.inMemory(store, backgroundScope).semaphore("api", permits = 2).tryAcquire() shouldBe null
        }
    }

    test("in real time as well") {
        val crashing = CoroutineScope(Dispatchers.Default + Job())
        val things = things(Signalbox.inMemory(InMemoryStore(), crashing))
        crashing.cancel()
        withTimeout(20.seconds) {
            for ((name, call) in things.calls) withClue(name) { shouldThrow<SignalboxClosedException> { call() } }
            things.held.forEach { it.release() shouldBe false }
            things.client.closeAndJoin()
        }
    }
})
