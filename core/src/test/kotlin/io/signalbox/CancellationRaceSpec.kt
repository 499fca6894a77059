package io.signalbox

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.PATIENCE
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.freshNamespace
import io.signalbox.behaviour.withClients
import io.signalbox.internal.redis.Keys
import io.signalbox.testkit.RedisServer
import java.util.concurrent.atomic.AtomicInteger
import kotlin.math.max
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

/** Cancellation at random moments, on many threads, against a real server: nothing is left there. */
class CancellationRaceSpec : FunSpec({
    for ((announceInScript, rounds) in listOf(true to 20_000, false to 5_000)) {
        test("$rounds acquires cancelled at random moments leave nothing behind, announceInScript = $announceInScript") {
            val seed = Random.nextLong()
            println("CancellationRaceSpec: seed $seed")
            val namespace = freshNamespace()
            val backend = Redis {
                this.namespace = namespace
                this.announceInScript = announceInScript
            }
            withClients(backend.emptyStore()) {
                val semaphores = List(2) { semaphore(permits = PERMITS) }
                val race = Race(semaphores, rounds, seed)
                withContext(Dispatchers.Default) { race.run() }

                race.holders.get() shouldBe 0
                race.mostHolders.get() shouldBeLessThanOrEqual PERMITS
                race.granted.get() shouldBeGreaterThan rounds / 200
                race.cancelled.get() shouldBeGreaterThan rounds / 10
                eventually(PATIENCE) {
                    storedMembers(namespace, "api").shouldBeEmpty()
                    semaphores.map { it.availablePermits() } shouldBe listOf(PERMITS, PERMITS)
                }
                semaphores.forEach { it.acquire(PERMITS).release() shouldBe true }
            }
        }
    }
})

private const val PERMITS = 4
private const val WORKERS = 25

private class Race(
    private val semaphores: List<Semaphore>,
    private val rounds: Int,
    private val seed: Long,
) {
    val holders = AtomicInteger()
    val mostHolders = AtomicInteger()
    val granted = AtomicInteger()
    val cancelled = AtomicInteger()

    suspend fun run() = coroutineScope {
        repeat(WORKERS) { worker ->
            launch {
                val random = Random(seed + worker)
                repeat(rounds / WORKERS) { round(semaphores[worker % semaphores.size], random) }
            }
        }
    }

    private suspend fun round(
        semaphore: Semaphore,
        random: Random,
    ) = coroutineScope {
        val permits = if (random.nextInt(8) == 0) random.nextInt(2, PERMITS + 1) else 1
        val kind = random.nextInt(4)
        val victim = launch {
            when (kind) {
                0 -> semaphore.withPermit(permits) { hold(permits) }
                1 -> semaphore.tryAcquire(permits)?.use { hold(permits) }
                2 -> semaphore.tryAcquire(permits, timeout = random.nextInt(1, 4).milliseconds)?.use { hold(permits) }
                else -> semaphore.acquire(permits).use { hold(permits) }
            }
        }
        pause(random)
        if (victim.isActive) cancelled.incrementAndGet()
        victim.cancel()
    }

    private suspend fun hold(permits: Int) {
        granted.incrementAndGet()
        mostHolders.accumulateAndGet(holders.addAndGet(permits), ::max)
        try {
            yield()
        } finally {
            holders.addAndGet(-permits)
        }
    }

    /** From nothing to some round trips. */
    private suspend fun pause(random: Random) {
        if (random.nextInt(3) == 0) repeat(random.nextInt(30)) { yield() } else delay(random.nextInt(1, 12).milliseconds)
    }
}

/** What the server has in the sets of holders, waiters and unread grants. */
private fun storedMembers(
    namespace: String,
    semaphore: String,
): List<String> {
    val keys = Keys(namespace).semaphore(semaphore).map { String(it) }
    val sets = keys.filter { key -> listOf("held", "queue", "unclaimed").any { key.endsWith(":$it") } }
    check(sets.size == 3)
    return sets.flatMap { key -> RedisServer.shared().command("ZRANGE", key, "0", "-1").lines().filter { it.isNotEmpty() } }
}
