package io.signalbox.race

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.behaviour.Clients
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.Store
import io.signalbox.behaviour.freshNamespace
import io.signalbox.behaviour.withClients
import io.signalbox.internal.ledger.Kind
import io.signalbox.internal.ledger.LedgerName
import io.signalbox.internal.redis.Keys
import io.signalbox.testkit.RedisServer
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.math.max
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.delay
import kotlinx.coroutines.yield

/** Where a race is run, and what can be seen there. */
internal class Course private constructor(
    private val name: String,
    private val store: Store,
    private val namespace: String?,
) {
    /** Runs [body]; nothing on the library's own threads may fail meanwhile. */
    suspend fun run(body: suspend Clients.() -> Unit) {
        val failures = ConcurrentLinkedQueue<Throwable>()
        val before = Thread.getDefaultUncaughtExceptionHandler()
        Thread.setDefaultUncaughtExceptionHandler { _, failure -> failures += failure }
        try {
            withClients(store, body)
        } finally {
            Thread.setDefaultUncaughtExceptionHandler(before)
        }
        failures.shouldBeEmpty()
    }

    /** Nobody holds and nobody waits, by what the clients say and by what is stored. */
    suspend fun awaitNothing(
        semaphores: List<Semaphore>,
        permits: Int,
    ) {
        eventually(PATIENCE) {
            storedMembers(semaphores.first().name).shouldBeEmpty()
            for (semaphore in semaphores) {
                semaphore.availablePermits() shouldBe permits
                semaphore.snapshot().queueLength shouldBe 0
            }
        }
        for (semaphore in semaphores) semaphore.acquire(permits).release() shouldBe true
    }

    /** What the server has in the sets of listed permits and of waiters, and counts that are not zero. */
    private fun storedMembers(semaphore: String): List<String> {
        val keys = Keys(namespace ?: return emptyList()).of(LedgerName(Kind.SEMAPHORE, semaphore)).map { String(it) }
        val sets = keys.filter { key -> listOf("listed", "queue", "limits").any { key.endsWith(":$it") } }
        check(sets.size == 3)
        val counts = listOf("plain", "listed", "queued").map { it to RedisServer.shared().command("HGET", keys[0], it) }
        return sets.flatMap { key -> RedisServer.shared().command("ZRANGE", key, "0", "-1").lines().filter { it.isNotEmpty() } } +
            counts.filter { it.second !in listOf("", "0") }.map { "${it.first}=${it.second}" }
    }

    override fun toString(): String = name

    companion object {
        fun inMemory() = Course("in memory", InMemory.emptyStore(), namespace = null)

        fun redis(announceInScript: Boolean = true): Course {
            val namespace = freshNamespace()
            val redis = Redis {
                this.namespace = namespace
                this.announceInScript = announceInScript
            }
            return Course(if (announceInScript) "on Redis" else "on Redis, announced by callers", redis.emptyStore(), namespace)
        }
    }
}

/** Counts permits in use. */
internal class Gauge {
    private val now = AtomicInteger()
    private val most = AtomicInteger()
    private val total = AtomicInteger()

    val inUse: Int get() = now.get()
    val mostInUse: Int get() = most.get()
    val uses: Int get() = total.get()

    inline fun use(
        permits: Int,
        block: () -> Unit,
    ) {
        total.incrementAndGet()
        most.accumulateAndGet(now.addAndGet(permits), ::max)
        try {
            block()
        } finally {
            now.addAndGet(-permits)
        }
    }
}

/** From nothing to some round trips. */
internal suspend fun Random.pause() {
    if (nextInt(3) == 0) repeat(nextInt(30)) { yield() } else delay(nextInt(1, 12).milliseconds)
}

/** So that a failure can be repeated, as far as threads let it. */
internal fun announcedSeed(race: String): Long =
    (System.getProperty("signalbox.seed")?.toLong() ?: Random.nextLong()).also { println("$race: seed $it") }
