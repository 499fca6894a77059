package io.signalbox.closing

import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.measureTimedValue
import kotlinx.coroutines.runBlocking

/**
 * Prints what the first calls of a process take, in milliseconds: making a client, its first semaphore, its first acquire and release; then the
 * same for a second client.
 *
 * Arguments: URI of the server, namespace, and optionally the store timeout in milliseconds.
 */
fun main(arguments: Array<String>) {
    val start = System.nanoTime()
    val clients = List(2) { nth ->
        val (client, connect) = measureTimedValue {
            Signalbox.connect(arguments[0]) {
                namespace = arguments[1]
                arguments.getOrNull(2)?.let { storeTimeout = it.toInt().milliseconds }
            }
        }
        runBlocking {
            val (semaphore, first) = measureTimedValue { client.semaphore("start", permits = 2) }
            val (_, acquire) = measureTimedValue { semaphore.acquire().release() }
            println("client ${nth + 1}: connect $connect, semaphore() $first, acquire and release $acquire")
        }
        client
    }
    println("all ${(System.nanoTime() - start) / 1_000_000}")
    runBlocking { clients.forEach { it.closeAndJoin() } }
}
