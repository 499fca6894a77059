package io.signalbox.race

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.Semaphore
import io.signalbox.use
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

/** Cancellation at random moments, on many threads: nothing is left behind. */
class CancellationRaceSpec : FunSpec({
    for ((course, rounds) in listOf(
        Course.redis() to 20_000,
        Course.redis(announceInScript = false) to 5_000,
        Course.inMemory() to 5_000,
    )) {
        test("$rounds acquires cancelled at random moments leave nothing behind, $course") {
            course.run {
                val semaphores = List(2) { semaphore(permits = PERMITS) }
                val race = CancellationRace(semaphores, rounds, announcedSeed("CancellationRaceSpec"))
                // Until there were enough of both: a busy machine may cancel nearly all.
                do {
                    withContext(Dispatchers.Default) { race.run() }
                } while (race.gauge.uses <= rounds / 200 || race.cancelled.get() <= rounds / 100)
                race.gauge.inUse shouldBe 0
                race.gauge.mostInUse shouldBeLessThanOrEqual PERMITS
                course.awaitNothing(semaphores, PERMITS)
            }
        }
    }
})

private const val PERMITS = 4
private const val WORKERS = 25

private class CancellationRace(
    private val semaphores: List<Semaphore>,
    private val rounds: Int,
    private val seed: Long,
) {
    val gauge = Gauge()
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
        val limit = random.nextInt(1, 4).milliseconds
        val victim = launch {
            when (kind) {
                0 -> semaphore.withPermit(permits) { hold(permits) }
                1 -> semaphore.tryAcquire(permits)?.use { hold(permits) }
                2 -> semaphore.tryAcquire(permits, timeout = limit)?.use { hold(permits) }
                else -> semaphore.acquire(permits).use { hold(permits) }
            }
        }
        random.pause()
        if (victim.isActive) cancelled.incrementAndGet()
        victim.cancel()
    }

    private suspend fun hold(permits: Int) = gauge.use(permits) { yield() }
}
