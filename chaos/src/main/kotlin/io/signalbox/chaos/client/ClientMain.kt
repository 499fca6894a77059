package io.signalbox.chaos.client

import io.lettuce.core.RedisClient
import io.lettuce.core.RedisURI
import io.signalbox.Signalbox
import io.signalbox.SignalboxSettings
import io.signalbox.chaos.bug.scriptsWith
import io.signalbox.chaos.bug.spoil
import io.signalbox.internal.Connecting
import io.signalbox.internal.redis.RedisConnections
import io.signalbox.processes.FencedRegister
import java.nio.file.Path
import java.util.concurrent.LinkedBlockingQueue
import kotlin.concurrent.thread
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

/**
 * A client in a process of its own. Plays one act after the other, as it is told on the standard input:
 *
 * `act URI WITNESS JOURNAL LABEL LEASE SEED BUG` begins one, in which all its coroutines do what they can until `enough`, which is answered by
 * `idle` when all of them have come to an end; timers are still handled. `leave` closes the client of this act, and is answered by `bye`.
 * `doing` tells what those coroutines do that have not come to an end.
 */
fun main(): Unit = runBlocking(Dispatchers.Default) {
    val orders = LinkedBlockingQueue<List<String>>()
    thread(isDaemon = true) {
        while (true) orders.put((readlnOrNull() ?: exitProcess(0)).split(' '))
    }
    println("ready")
    while (true) {
        val order = withContext(Dispatchers.IO) { orders.take() }
        check(order[0] == "act") { "Not expected here: $order" }
        play(Part(order), orders)
    }
}

/** What a client is told for an act. */
internal class Part(
    order: List<String>,
) {
    val uri: String = order[1]
    val witness: String = order[2]
    val journal: Path = Path.of(order[3])
    val label: String = order[4]
    val leaseMillis: Int = order[5].toInt()
    val seed: Long = order[6].toLong()

    /** The name of the bug that is to be found, or `-`. */
    val bug: String = order[7]

    fun connect(): Signalbox {
        val settings =
            SignalboxSettings().apply {
                label = this@Part.label
                lease = leaseMillis.milliseconds
                storeTimeout = 5.seconds
            }
        return Connecting.redis(settings, scriptsWith(bug)) { RedisConnections.own(RedisURI.create(uri)) }
    }
}

private suspend fun play(
    part: Part,
    orders: LinkedBlockingQueue<List<String>>,
) {
    spoil(part.bug)
    val signalbox = part.connect()
    val witness = RedisClient.create(part.witness)
    Journal(part.journal).use { journal ->
        val troupe = Troupe(part, signalbox, FencedRegister(witness), journal)
        troupe.begin()
        while (true) {
            when (withContext(Dispatchers.IO) { orders.take() }.first()) {
                "enough" -> troupe.enough { println("idle") }
                "doing" -> println("doing ${troupe.doing()}")
                "leave" -> break
            }
        }
        troupe.end()
        signalbox.closeAndJoin()
        // What was cancelled by the end may still have a word to say.
        delay(1.milliseconds)
    }
    witness.shutdownAsync()
    println("bye")
}
