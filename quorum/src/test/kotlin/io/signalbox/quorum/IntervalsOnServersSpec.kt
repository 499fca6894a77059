package io.signalbox.quorum

import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.signalbox.SignalboxException
import io.signalbox.quorum.internal.QuorumPermit
import io.signalbox.testkit.FaultProxy
import java.util.concurrent.atomic.AtomicInteger
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

/**
 * Clients on three real masters that are killed, frozen, emptied and cut off: by their own clock, never more of them hold than there are permits,
 * and tokens are in order. With `-Dsignalbox.grants=20000 -Dsignalbox.faults=100` in full.
 */
class IntervalsOnServersSpec : FunSpec({
    val grants = System.getProperty("signalbox.grants")?.toInt() ?: 2_000
    val faults = System.getProperty("signalbox.faults")?.toInt() ?: 10
    val seed = System.getProperty("signalbox.seed")?.toInt() ?: Random.nextInt()

    test("never more hold than there are permits, whatever becomes of a minority of the masters") {
        withClue("seed $seed") { Masters(lease = 1.seconds).use { Trial(it, Random(seed), grants, faults).run() } }
    }
})

private class Trial(
    private val masters: Masters,
    private val random: Random,
    private val grants: Int,
    private val faults: Int,
) {
    private val limit = 3
    private val intervals = Intervals(limit)
    private val happened = AtomicInteger()
    private val proxies = masters.servers.map { FaultProxy(it) }
    private val isOver: Boolean get() = intervals.size >= grants && happened.get() >= faults

    suspend fun run() {
        withTimeout(30.minutes) {
            withContext(Dispatchers.Default) {
                repeat(CLIENTS) { number ->
                    // Half of them see the masters through a network that fails.
                    val uris = if (number % 2 == 0) masters.servers.map { it.uri } else proxies.map { "redis://${it.host}:${it.port}" }
                    val quorum = masters.connect(uris)
                    repeat(COROUTINES) { launch { live(quorum, Random(random.nextInt())) } }
                }
                while (happened.get() < faults) fail()
            }
        }
        println("${intervals.size} grants, ${happened.get()} faults")
        intervals.complaints().shouldBeEmpty()
        proxies.forEach { it.close() }
    }

    private suspend fun fail() {
        val index = random.nextInt(masters.servers.size)
        val server = masters[index]
        when (random.nextInt(6)) {
            0 -> {
                server.kill()
                pause()
                server.restart()
            }
            1 -> {
                server.freeze()
                pause()
                server.thaw()
            }
            2 -> server.command("FLUSHALL")
            3 -> {
                proxies[index].stall()
                pause()
                proxies[index].resume()
            }
            4 -> proxies[index].cut()
            else -> server.command("CLIENT", "KILL", "TYPE", "normal")
        }
        happened.incrementAndGet()
        delay(random.nextInt(100, 700).milliseconds)
    }

    /** Some shorter than the lease, some longer. */
    private suspend fun pause() = delay(random.nextInt(100, 1_500).milliseconds)

    private suspend fun live(
        quorum: SignalboxQuorum,
        random: Random,
    ) {
        while (!isOver) {
            try {
                use(quorum.semaphore("s", limit), random)
            } catch (_: SignalboxException) {
                delay(20.milliseconds)
            }
        }
    }

    private suspend fun use(
        semaphore: QuorumSemaphore,
        random: Random,
    ) {
        val askedAt = System.nanoTime()
        val permit = semaphore.tryAcquire(1.seconds) as QuorumPermit? ?: return
        val hold = intervals.begin(permit.fencingToken, askedAt, System.nanoTime())
        // So few that most of the time somebody new is granted something, and enough for some in each fault.
        if (random.nextInt(100) == 0) delay(random.nextInt(1_500).milliseconds)
        // What was lost ended when it said that it would, however late somebody looks.
        hold.until = minOf(permit.validUntil, System.nanoTime())
        permit.release()
    }

    private companion object {
        const val CLIENTS = 4
        const val COROUTINES = 3
    }
}
