package io.signalbox.pool

import io.signalbox.InitStrategy
import io.signalbox.Semaphore
import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import io.signalbox.SignalboxException
import kotlin.concurrent.thread
import kotlin.random.Random
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

@Volatile
private var stopping = false

/**
 * A client in a process of its own: creates or joins the pool `crowd`, and has workers acquire, hold and release until it is told that it
 * is enough. Prints `joined`, and for each hold `began <token> <permits> <nanos>` and `ended <token> <permits> <nanos>`; the moments are
 * such that the permit was certainly held.
 *
 * Arguments: URI of the server, strategy, permits, workers, lease in milliseconds. Without workers it ends when it has joined.
 */
fun main(arguments: Array<String>) {
    val (uri, strategy, permits, workers, lease) = arguments
    val signalbox = Signalbox.connect(uri) { this.lease = lease.toInt().milliseconds }
    thread(isDaemon = true) {
        readlnOrNull()
        stopping = true
    }
    runBlocking(Dispatchers.Default) {
        println("connecting")
        val pool = signalbox.semaphore("crowd", permits.toInt()) { algorithm = SemaphoreAlgorithm.Pool(InitStrategy.valueOf(strategy)) }
        println("joined")
        repeat(workers.toInt()) { launch { work(pool, weight = if (it == 0) permits.toInt() else 1) } }
    }
    runBlocking { signalbox.closeAndJoin() }
    println("bye")
    System.exit(0)
}

private suspend fun work(
    pool: Semaphore,
    weight: Int,
) {
    while (!stopping) {
        try {
            val permit = if (Random.nextInt(5) == 0) pool.tryAcquire(weight, Random.nextInt(1, 50).milliseconds) else pool.acquire(weight)
            if (permit != null) {
                val begin = System.nanoTime()
                if (!permit.isLost) println("began ${permit.fencingToken} $weight $begin")
                delay(Random.nextInt(0, 20).milliseconds)
                val end = System.nanoTime()
                if (!permit.isLost) println("ended ${permit.fencingToken} $weight $end")
                permit.release()
            }
        } catch (_: SignalboxException) {
            // After an outage a call may find that it has waited for too long.
        }
    }
}
