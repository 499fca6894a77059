package io.signalbox.race

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.comparables.shouldBeLessThan
import io.kotest.matchers.ints.shouldBeLessThanOrEqual
import io.kotest.matchers.shouldBe
import io.signalbox.LeaseLostException
import io.signalbox.Semaphore
import io.signalbox.SignalboxClosedException
import io.signalbox.behaviour.Clients
import io.signalbox.use
import io.signalbox.withPermit
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.yield

/** Closing a client in full swing: whoever uses it hears of it, and nothing is left behind. */
class CloseRaceSpec : FunSpec({
    for ((course, rounds) in listOf(Course.redis() to 60, Course.inMemory() to 200)) {
        test("clients closed in full swing leave no caller waiting and no permit held, $course") {
            course.run {
                val random = Random(announcedSeed("CloseRaceSpec"))
                val lasting = semaphore(permits = PERMITS)
                repeat(rounds) {
                    val gauge = Gauge()
                    // With such a lease, whatever has to be repeated takes its time.
                    val client = client { lease = 10.minutes }
                    val semaphore = client.semaphore("api", permits = PERMITS)
                    val users = List(12) { user(semaphore, gauge, Random(random.nextLong())) }
                    random.pause()
                    if (random.nextBoolean()) client.close()
                    measureTime { client.closeAndJoin() } shouldBeLessThan 9.seconds
                    val unexpected = users.awaitAll().filterNot { it is SignalboxClosedException || it is LeaseLostException }
                    unexpected.shouldBeEmpty()
                    gauge.inUse shouldBe 0
                    gauge.mostInUse shouldBeLessThanOrEqual PERMITS
                    lasting.availablePermits() shouldBe PERMITS
                }
                course.awaitNothing(listOf(lasting), PERMITS)
            }
        }

        test("a signal is not delivered again when its consumer closes at that moment, $course") {
            course.run {
                val random = Random(announcedSeed("CloseRaceSpec, signals"))
                val lasting = client().event("bell")
                repeat(3 * rounds) {
                    val client = client { lease = 10.minutes }
                    val consumer = client.event("bell")
                    val consumed = async { runCatching { consumer.await() }.isSuccess }
                    lasting.set()
                    // As soon as it was told, or beside that.
                    if (random.nextBoolean()) consumed.await() else random.pause()
                    client.closeAndJoin()
                    val isLeft = lasting.tryAwait()
                    (consumed.await() && isLeft) shouldBe false
                }
            }
        }
    }
})

private const val PERMITS = 3

/** Uses [semaphore] in every way until that fails, and returns the failure. */
private fun Clients.user(
    semaphore: Semaphore,
    gauge: Gauge,
    random: Random,
): Deferred<Throwable> = async {
    var failure: Throwable? = null
    while (failure == null) {
        val permits = random.nextInt(1, PERMITS + 1)
        failure = runCatching {
            when (random.nextInt(5)) {
                0 -> semaphore.availablePermits()
                1 -> semaphore.snapshot()
                2 -> semaphore.tryAcquire(permits, timeout = 2.milliseconds)?.use { gauge.use(permits) { yield() } }
                3 -> semaphore.tryAcquire(permits)?.run {
                    gauge.use(permits) { yield() }
                    release()
                }
                else -> semaphore.withPermit(permits) { gauge.use(permits) { yield() } }
            }
        }.exceptionOrNull()
    }
    failure
}
