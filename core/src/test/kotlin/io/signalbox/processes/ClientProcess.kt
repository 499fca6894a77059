package io.signalbox.processes

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.signalbox.Permit
import io.signalbox.Semaphore
import io.signalbox.SignalboxException
import io.signalbox.SignalboxSettings
import io.signalbox.history.auditedScripts
import io.signalbox.internal.Connecting
import io.signalbox.internal.redis.RedisConnections
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.random.nextInt
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/** The semaphores that all processes fight for. */
internal val CONTENDED: Map<String, Int> = mapOf("one" to 1, "another" to 1, "two" to 2, "seven" to 7, "too" to 7)

/** How many workers of each process want one of so many permits. */
private fun workersFor(permits: Int) = permits + 3

private const val MILLI = 1_000_000L

@Volatile
private var stopping = false

/**
 * A client in a process of its own: its coroutines acquire, hold and release until the standard input says that it is enough. What
 * happens to them it says on the standard output, in [ClientLine]s.
 *
 * Arguments: URI of the server, label, lease in milliseconds, seed.
 */
fun main(arguments: Array<String>) {
    val (uri, label, lease, seed) = arguments
    val settings =
        SignalboxSettings().apply {
            this.label = label
            this.lease = lease.toInt().milliseconds
            // Many JVMs start at the same time.
            storeTimeout = 60.seconds
        }
    val signalbox = Connecting.redis(settings, auditedScripts) { RedisConnections.own(RedisURI.create(uri)) }
    val register = FencedRegister(RedisClient.create(uri))
    thread(isDaemon = true) {
        readlnOrNull()
        stopping = true
    }
    runBlocking(Dispatchers.Default) {
        val random = Random(seed.toLong())
        val semaphores = CONTENDED.flatMap { (name, permits) -> List(workersFor(permits)) { signalbox.semaphore(name, permits) } }
        say("ready", "-", "-", 0, 0)
        semaphores.forEachIndexed { number, semaphore ->
            val worker = Worker(number, semaphore, register, lease.toInt(), Random(random.nextLong()))
            launch { worker.work() }
        }
    }
    runBlocking { signalbox.closeAndJoin() }
    say("bye", "-", "-", 0, 0)
    System.exit(0)
}

private class Worker(
    private val number: Int,
    private val semaphore: Semaphore,
    private val register: FencedRegister,
    private val leaseMillis: Int,
    private val random: Random,
) {
    suspend fun work() {
        while (!stopping) {
            try {
                say("acquiring")
                val permit = acquire()
                if (permit != null) hold(permit) else say("refused")
            } catch (failure: SignalboxException) {
                // After being frozen a call may find that it has waited for too long.
                say("failed")
            }
            delay(random.nextInt(0..10).milliseconds)
        }
    }

    private suspend fun acquire(): Permit? =
        when (random.nextInt(100)) {
            in 0..9 -> semaphore.tryAcquire(timeout = random.nextInt(1..100).milliseconds)
            in 10..14 -> semaphore.tryAcquire()
            else -> semaphore.acquire()
        }

    private suspend fun hold(permit: Permit) {
        val begin = System.nanoTime()
        if (!permit.isLost) {
            say("holding", permit.fencingToken, begin)
            val value = if (semaphore.name in FENCED) register.read(semaphore.name, permit.fencingToken) else null
            val end = permit.holdUntil(begin, begin + holdMillis() * MILLI) { say("holding", permit.fencingToken, it) }
            if (value != null) register.write(semaphore.name, permit.fencingToken, value + 1)
            val stillHeldAt = System.nanoTime()
            say("releasing", permit.fencingToken, if (permit.isLost) end else stillHeldAt)
        }
        val wasHeld = permit.release()
        say(if (wasHeld) "released" else "lost", permit.fencingToken)
    }

    private fun holdMillis(): Int =
        when (random.nextInt(200)) {
            0 -> random.nextInt(leaseMillis * 3 / 2)
            in 1..10 -> random.nextInt(50)
            in 11..80 -> random.nextInt(4)
            else -> 0
        }

    private fun say(
        what: String,
        token: Long = 0,
        heldAt: Long = 0,
    ) = say(what, "$number", semaphore.name, token, heldAt)
}

private fun say(
    what: String,
    worker: String,
    semaphore: String,
    token: Long,
    heldAt: Long,
) = println(ClientLine(System.nanoTime(), what, worker, semaphore, token, heldAt))
