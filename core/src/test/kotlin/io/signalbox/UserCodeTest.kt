package io.signalbox

import io.kotest.assertions.nondeterministic.eventually
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.shouldBe
import io.signalbox.behaviour.InMemory
import io.signalbox.behaviour.Redis
import io.signalbox.behaviour.RedisPool
import io.signalbox.behaviour.withClients
import io.signalbox.event.awaitWaiting
import io.signalbox.fault.onStage
import io.signalbox.pool.awaitBlocked
import java.io.IOException
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicInteger
import kotlin.coroutines.CoroutineContext
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineExceptionHandler
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.Runnable
import kotlinx.coroutines.async
import kotlinx.coroutines.launch

/** Whose own methods throw when somebody wants to know what it is. */
private class Untouchable : Error() {
    override val message: String get() = throw IllegalStateException("no message")

    override fun toString(): String = throw StackOverflowError()
}

/** A task decorator, a machine without threads, a main thread that is none: whatever a dispatcher may throw. */
private class Refusing(
    private val problem: () -> Throwable,
) : CoroutineDispatcher() {
    @Volatile
    var refuses = false

    override fun dispatch(
        context: CoroutineContext,
        block: Runnable,
    ) {
        if (refuses) throw problem()
        Dispatchers.Default.dispatch(context, block)
    }
}

/** Throws whenever it is called, and says by what it was. */
private class Thrower(
    private val problem: () -> Throwable,
) : SignalboxListener {
    val called: MutableSet<String> = ConcurrentHashMap.newKeySet()

    private fun fail(by: String): Nothing {
        called += by
        throw problem()
    }

    override fun onGranted(granted: Observation.Granted): Unit = fail("granted")

    override fun onReleased(released: Observation.Released): Unit = fail("released")

    override fun onLost(lost: Observation.Lost): Unit = fail("lost")

    override fun onTimedOut(timedOut: Observation.TimedOut): Unit = fail("timed out")

    override fun onRefused(refused: Observation.Refused): Unit = fail("refused")

    override fun onHeldLong(heldLong: Observation.HeldLong): Unit = fail("held long")

    override fun onExchanged(exchanged: Exchanged): Unit = fail("exchanged")

    override fun onDisconnected(disconnected: Observation.Disconnected): Unit = fail("disconnected")

    override fun onReconnected(reconnected: Observation.Reconnected): Unit = fail("reconnected")
}

/** What users give to the library to be called, and what it may do: it ends nothing but itself. */
class UserCodeTest : FunSpec({
    timeout = 120.seconds.inWholeMilliseconds

    val problems: Map<String, () -> Throwable> =
        mapOf(
            "an exception" to { IllegalStateException("made up") },
            "an error" to { NoSuchMethodError("made up") },
            "what is not implemented" to { NotImplementedError("made up") },
            "an overflow" to { StackOverflowError("made up") },
            "something that cannot be printed" to { Untouchable() },
        )

    test("whatever listeners throw when connections are lost and come back, others hear of it, and everybody is served") {
        onStage {
            val client = client(lease = 60.seconds)
            val thrower = Thrower { problems.values.random()() }
            val heard = CopyOnWriteArrayList<Observation>()
            client.addListener(thrower)
            client.addListener(
                object : SignalboxListener {
                    override fun onDisconnected(disconnected: Observation.Disconnected) {
                        heard += disconnected
                    }

                    override fun onReconnected(reconnected: Observation.Reconnected) {
                        heard += reconnected
                    }
                },
            )
            val semaphores = listOf(client.semaphore("api", 1), client.semaphore("pool", 1) { algorithm = SemaphoreAlgorithm.Pool() })
            val held = semaphores.map { it.acquire() }
            val waiting = semaphores.map { async { it.acquire() } }
            redis.awaitBlocked(2)
            redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            eventually(30.seconds) {
                thrower.called shouldContainAll listOf("disconnected", "reconnected")
                for (blocking in listOf(false, true)) {
                    heard.any { it is Observation.Disconnected && it.blocking == blocking } shouldBe true
                    heard.any { it is Observation.Reconnected && it.blocking == blocking } shouldBe true
                }
            }
            held.forEach { it.release() shouldBe true }
            waiting.forEach { it.await().release() shouldBe true }
        }
    }

    for ((place, backend) in mapOf("in memory" to InMemory, "on Redis" to Redis(), "a pool" to RedisPool)) {
        test("$place: whatever listeners throw, and actions that hear of a loss, keeps nobody from anything") {
            val turns = AtomicInteger()

            fun problem() = problems.values.elementAt(turns.getAndIncrement() % problems.size)()
            withClients(backend.emptyStore()) {
                val client = client {
                    lease = 1.seconds
                    holdWarning = 100.milliseconds
                }
                val heard = CopyOnWriteArrayList<Observation>()
                val thrower = Thrower(::problem)
                client.addListener(thrower)
                client.addListener(
                    object : SignalboxListener {
                        override fun onGranted(granted: Observation.Granted) {
                            heard += granted
                        }
                    },
                )
                val semaphore = client.semaphore("api", permits = 2) { maxHold = 800.milliseconds }
                val lost = CompletableDeferred<Unit>()
                val permits = List(2) { semaphore.acquire() }
                // Too late, it is called at once, by us.
                permits.forEach { runCatching { it.onLost { throw problem() } } }
                permits.forEach { it.onLost { lost.complete(Unit) } }
                semaphore.tryAcquire().shouldBeNull()
                semaphore.tryAcquire(timeout = 20.milliseconds).shouldBeNull()
                val waiting = start { semaphore.acquire() }
                lost.await()
                waiting.await().release() shouldBe true
                // Later losses are told as well.
                shouldThrow<LeaseLostException> { semaphore.withPermit { CompletableDeferred<Unit>().await() } }
                heard.size shouldBe 4
                val told = listOf("granted", "released", "lost", "refused", "timed out", "held long")
                thrower.called shouldContainAll (if (place == "a pool") told else told + "exchanged")
            }
        }

        if (place != "a pool") {
            test("$place: a signal that the dispatcher of an awaiting coroutine throws at is for the next") {
                withClients(backend.emptyStore()) {
                    val event = client().event("api")
                    val refusing = Refusing(problems.getValue("an error"))
                    CoroutineScope(Job() + refusing + CoroutineExceptionHandler { _, _ -> }).launch { event.await() }
                    event.awaitWaiting(1)
                    refusing.refuses = true
                    event.set()
                    event.tryAwait(timeout = 30.seconds) shouldBe true
                    event.tryAwait() shouldBe false
                }
            }
        }

        for ((kind, problem) in problems) {
            test("$place: $kind thrown by a dispatcher harms its own coroutine only, and its permit goes to the next") {
                withClients(backend.emptyStore()) {
                    val semaphore = client().semaphore("api", permits = 1)
                    val holder = semaphore.acquire()
                    val refusing = Refusing(problem)
                    val orphans = CoroutineScope(Job() + refusing + CoroutineExceptionHandler { _, _ -> })
                    orphans.launch { semaphore.acquire() }
                    semaphore.awaitQueue(1)
                    val next = start { semaphore.acquire() }
                    semaphore.awaitQueue(2)
                    refusing.refuses = true
                    holder.release() shouldBe true
                    next.await().release() shouldBe true
                    semaphore.acquire().release() shouldBe true
                    // A release whose caller cannot be told is one all the same.
                    val ready = CompletableDeferred<Unit>()
                    val go = CompletableDeferred<Unit>()
                    refusing.refuses = false
                    CoroutineScope(Job() + Dispatchers.Unconfined + CoroutineExceptionHandler { _, _ -> }).launch {
                        val permit = semaphore.acquire()
                        ready.complete(Unit)
                        go.await()
                        permit.release()
                        throw problem()
                    }
                    ready.await()
                    go.complete(Unit)
                    semaphore.acquire().release() shouldBe true
                }
            }
        }

        test("$place: what a block throws wins over what its release makes of it") {
            withClients(backend.emptyStore()) {
                val semaphore = client().semaphore("api", permits = 1)
                val mutex = client().mutex("api")
                val failure = shouldThrow<IOException> {
                    semaphore.withPermit {
                        it.release()
                        throw IOException("the block's")
                    }
                }
                failure.suppressed.single().javaClass shouldBe IllegalStateException::class.java
                val locked = shouldThrow<IOException> {
                    mutex.withLock {
                        it.release()
                        throw IOException("the block's")
                    }
                }
                locked.suppressed.single().javaClass shouldBe IllegalStateException::class.java
                // Alone, it is told.
                shouldThrow<IllegalStateException> { semaphore.withPermit { it.release() } }
                eventually(30.seconds) { semaphore.tryAcquire()?.release() shouldBe true }
                mutex.tryLock(timeout = 5.seconds)!!.release() shouldBe true
                semaphore.tryAcquire(timeout = 5.seconds)!!.let { semaphore.tryAcquire().shouldBeNull() }
            }
        }
    }
})
