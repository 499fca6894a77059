package io.signalbox.consumer

import io.signalbox.AcquireTimeoutException
import io.signalbox.InMemoryStore
import io.signalbox.LeaseLostException
import io.signalbox.Signalbox
import io.signalbox.SignalboxClosedException
import io.signalbox.testkit.RedisServer
import io.signalbox.timers.Timers
import io.signalbox.timers.timerRouter
import io.signalbox.timers.topic
import io.signalbox.withLock
import io.signalbox.withPermit
import java.time.Instant
import kotlin.time.Duration.Companion.hours
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlin.time.TimeSource
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.withTimeoutOrNull

private val PATIENCE = 60.seconds

/** What a Kotlin service does with the library, without any opt-in. */
object KotlinCases {
    private val cases: Map<String, suspend CoroutineScope.(Signalbox, String) -> Unit> =
        mapOf(
            "happy path" to { signalbox, name -> happyPath(signalbox, name) },
            "max hold" to { signalbox, name -> maxHold(signalbox, name) },
            "cancellation" to { signalbox, name -> cancellation(signalbox, name) },
            "timeouts" to { signalbox, name -> timeouts(signalbox, name) },
            "timers" to { signalbox, name -> timers(signalbox, name) },
            "close" to { signalbox, name -> close(signalbox, name) },
        )

    /** Runs all cases, each on a client of its own, on a server and then in memory; returns how many. */
    fun run(): Int =
        runBlocking {
            for ((title, case) in cases) {
                val name = "kotlin-" + title.replace(' ', '-')
                try {
                    Signalbox.connect(RedisServer.shared().uri) { storeTimeout = PATIENCE }.use { case(it, name) }
                    Signalbox.inMemory(InMemoryStore(TimeSource.Monotonic, Instant.now())).use { case(it, name) }
                } catch (problem: Throwable) {
                    throw AssertionError("Kotlin: $title", problem)
                }
            }
            2 * cases.size
        }

    private suspend fun happyPath(
        signalbox: Signalbox,
        name: String,
    ) {
        val semaphore = signalbox.semaphore(name, permits = 2)
        val first = semaphore.withPermit { it.fencingToken }
        check(semaphore.withPermit(permits = 2) { it.fencingToken } > first)
        check(signalbox.mutex(name).withLock { "locked" } == "locked")
        signalbox.event(name).apply {
            set()
            await(PATIENCE)
        }
        until { semaphore.availablePermits() == 2 }
    }

    private suspend fun maxHold(
        signalbox: Signalbox,
        name: String,
    ) {
        val semaphore = signalbox.semaphore(name, permits = 1) { maxHold = 200.milliseconds }
        val told = CompletableDeferred<Unit>()
        try {
            semaphore.withPermit { permit ->
                permit.onLost { told.complete(Unit) }
                delay(PATIENCE)
            }
            error("a permit outlived its max hold")
        } catch (_: LeaseLostException) {
            withTimeout(PATIENCE) { told.await() }
        }
        until { semaphore.availablePermits() == 1 }
    }

    private suspend fun CoroutineScope.cancellation(
        signalbox: Signalbox,
        name: String,
    ) {
        val semaphore = signalbox.semaphore(name, permits = 1)
        val held = semaphore.acquire()
        val waiting = launch { semaphore.acquire() }
        until { semaphore.snapshot().queueLength == 1 }
        waiting.cancelAndJoin()
        until { semaphore.snapshot().queueLength == 0 }
        val holding = launch { semaphore.withPermit { awaitCancellation() } }
        check(held.release())
        until { semaphore.availablePermits() == 0 }
        holding.cancelAndJoin()
        until { semaphore.availablePermits() == 1 }
    }

    private suspend fun timeouts(
        signalbox: Signalbox,
        name: String,
    ) {
        val semaphore = signalbox.semaphore(name, permits = 1)
        semaphore.withPermit {
            check(semaphore.tryAcquire(timeout = 20.milliseconds) == null)
            check(withTimeoutOrNull(20.milliseconds) { semaphore.acquire() } == null)
            try {
                semaphore.acquire(timeout = 20.milliseconds)
                error("granted twice")
            } catch (_: AcquireTimeoutException) {
                // as it should be
            }
        }
        until { semaphore.availablePermits() == 1 }
    }

    private suspend fun timers(
        signalbox: Signalbox,
        name: String,
    ) = coroutineScope {
        val notes = topic<String>(name)
        val heard = CompletableDeferred<String>()
        val router = timerRouter<CompletableDeferred<String>> { on(notes) { note -> context.complete(note) } }
        val timers = Timers(signalbox, context = heard) { include(router) }
        val worker = launch { timers.run() }
        timers.schedule(notes, id = "1", "hello", after = 1.milliseconds)
        timers.schedule(notes, id = "2", "later", after = 1.hours)
        check(withTimeout(PATIENCE) { heard.await() } == "hello")
        check(timers.cancel(notes, "2"))
        worker.cancelAndJoin()
    }

    private suspend fun CoroutineScope.close(
        signalbox: Signalbox,
        name: String,
    ) {
        val semaphore = signalbox.semaphore(name, permits = 1)
        semaphore.acquire()
        val waiting =
            async {
                try {
                    semaphore.acquire()
                    false
                } catch (_: SignalboxClosedException) {
                    true
                }
            }
        until { semaphore.snapshot().queueLength == 1 }
        signalbox.closeAndJoin()
        check(withTimeout(PATIENCE) { waiting.await() })
    }

    private suspend fun until(reached: suspend () -> Boolean) =
        withTimeout(PATIENCE) {
            while (!reached()) delay(5.milliseconds)
        }
}

/** What this build has put together. */
fun classPath(): String =
    System
        .getProperty("java.class.path")
        .split(java.io.File.pathSeparator)
        .map { it.substringAfterLast('/') }
        .filter { it.matches(Regex("(kotlin-stdlib|kotlinx-coroutines-core-jvm|kotlinx-serialization-json-jvm|lettuce-core|netty-common|reactor-core|spring-boot|ktor-server-core-jvm)-\\d.*")) }
        .sorted()
        .joinToString()

fun runCases() = println("${JavaCases.run() + KotlinCases.run()} cases passed on ${classPath()}")
