package io.signalbox.fault

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.withClue
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.longs.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.signalbox.Permit
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.internal.redis.Scripts
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.async
import kotlinx.coroutines.withTimeout

/** Runs the first task only, as the threads of a process that stands still after that; the rest when it goes on. */
private class Standstill : CoroutineDispatcher() {
    private val held = ConcurrentLinkedQueue<Runnable>()
    private val tasks = AtomicInteger()

    @Volatile
    private var isOver = false

    val hasHeld: Boolean get() = held.isNotEmpty()

    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) {
        if (!isOver && tasks.getAndIncrement() > 0) held.add(block) else Dispatchers.Default.dispatch(context, block)
    }

    fun goOn() {
        isOver = true
        while (true) Dispatchers.Default.dispatch(Job(), held.poll() ?: return)
    }
}

/** Grants and losses that are heard of too late to be of any use. */
class LatePermitTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    /** What [call] comes to if its process stands still between the grant and the moment when it goes on, for longer than [lease]. */
    suspend fun <T> Stage.late(
        lease: Duration,
        call: suspend () -> T,
    ): T {
        val standstill = Standstill()
        val called = CoroutineScope(Job() + standstill).async { call() }
        // Its first steps, until the grant is there to go on with.
        eventually(20.seconds) { standstill.hasHeld shouldBe true }
        proxy.stall()
        val fence = System.nanoTime()
        eventually(20.seconds) { (System.nanoTime() - fence > lease.inWholeNanoseconds) shouldBe true }
        proxy.resume()
        standstill.goOn()
        return withTimeout(30.seconds) { called.await() }
    }

    test("a signal that was lost before it could be consumed is awaited again, and consumed once") {
        onStage {
            val lease = 600.milliseconds
            val event = client(proxied, lease = lease).event("late")
            val other = client().event("late")
            val calls =
                listOf<suspend () -> Boolean>({ event.await().let { true } }, { event.tryAwait(60.seconds) }, { event.tryAwait() })
            for (call in calls) {
                other.set()
                val isTaken = late(lease, call)
                // A try may find that it is on its way to whoever lost it.
                other.tryAwait(timeout = if (isTaken) 1.seconds else 20.seconds) shouldBe !isTaken
            }
        }
    }

    test("a permit that was lost between its grant and the moment when its coroutine goes on is never handed out") {
        onStage {
            val lease = 600.milliseconds
            val client = client(proxied, lease = lease)
            val semaphore = client.semaphore("late", 1)
            val mutex = client.mutex("late")
            val pool = client.semaphore("late-pool", 1) { algorithm = SemaphoreAlgorithm.Pool() }
            val calls =
                mapOf<String, suspend () -> Permit?>(
                    "acquire" to { semaphore.acquire() },
                    "acquire(timeout)" to { semaphore.acquire(timeout = 60.seconds) },
                    "tryAcquire" to { semaphore.tryAcquire() },
                    "tryAcquire(timeout)" to { semaphore.tryAcquire(timeout = 60.seconds) },
                    "lock" to { mutex.lock() },
                    "pool" to { pool.acquire() },
                )
            for ((name, call) in calls) {
                withClue(name) {
                    val (permit, wasLost) = late(lease) { call()?.let { Pair(it, it.isLost) } } ?: continue
                    wasLost shouldBe false
                    permit.release()
                }
            }
        }
    }

    test("a holder whose opening was answered late knows of its loss before anybody else is granted") {
        onStage {
            load(Scripts.production)
            val holding = client(proxied, lease = 3.seconds).semaphore("again", 1)
            val waiting = client(lease = 3.seconds).semaphore("again", 1)
            val permit = holding.acquire()
            // All is lost. The next session is begun, and nobody hears of it; its repetition is answered, and then nothing any more.
            var openings = 0
            proxy.onRequest { connection, request ->
                if (String(Scripts.production.open.sha) in request) {
                    openings++
                    if (openings == 1) connection.loseNextReply()
                }
            }
            redis.command("FLUSHALL")
            load(Scripts.production)
            eventually(20.seconds) { ((openings >= 2 && stored("again").held == 1) || permit.isLost) shouldBe true }
            val next = async(Dispatchers.Default) { waiting.acquire().also { permit.isLost shouldBe true } }
            proxy.refuseConnections()
            proxy.cut()
            val granted = withTimeout(40.seconds) { next.await() }
            granted.fencingToken shouldBeGreaterThan permit.fencingToken
            granted.release() shouldBe true
        }
    }
})
