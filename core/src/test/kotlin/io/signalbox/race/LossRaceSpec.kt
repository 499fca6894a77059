package io.signalbox.race

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.signalbox.LeaseLostException
import io.signalbox.Semaphore
import io.signalbox.withPermit
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** Permits whose limit passes at about the time of their release: each is either released or lost, and comes back once. */
class LossRaceSpec : FunSpec({
    for ((course, rounds) in listOf(Course.redis() to 2_500, Course.inMemory() to 2_500)) {
        test("$rounds permits released when they are about to be lost come back once, $course") {
            course.run {
                val semaphores = List(2) { client().semaphore("api", permits = PERMITS) { maxHold = 6.milliseconds } }
                val race = LossRace(semaphores, rounds, announcedSeed("LossRaceSpec"))
                var runs = 0
                // Until there were enough of both: a busy machine may lose nearly all.
                do {
                    withContext(Dispatchers.Default) { race.run() }
                    runs++
                } while (minOf(race.released.get(), race.lost.get()) <= rounds / 200)
                race.released.get() + race.lost.get() shouldBe runs * rounds
                // With a limit of its own, which this check must not run into.
                course.awaitNothing(listOf(semaphore(permits = PERMITS)), PERMITS)
            }
        }
    }
})

private const val PERMITS = 6
private const val WORKERS = 20

private class LossRace(
    private val semaphores: List<Semaphore>,
    private val rounds: Int,
    private val seed: Long,
) {
    val released = AtomicInteger()
    val lost = AtomicInteger()

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
    ) {
        val permits = random.nextInt(1, 3)
        val time = random.nextInt(0, 8).milliseconds
        if (random.nextBoolean()) {
            val permit = semaphore.acquire(permits)
            val heard = AtomicInteger()
            permit.onLost { heard.incrementAndGet() }
            delay(time)
            if (permit.release()) {
                released.incrementAndGet()
                permit.isLost shouldBe false
                heard.get() shouldBe 0
            } else {
                lost.incrementAndGet()
            }
        } else {
            try {
                semaphore.withPermit(permits) { delay(time) }
                released.incrementAndGet()
            } catch (_: LeaseLostException) {
                lost.incrementAndGet()
            }
        }
    }
}
