package io.signalbox.processes

import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking

/**
 * Awaits an event in a process of its own, in so many coroutines at once, and prints `got` for each signal.
 *
 * Arguments: URI of the server, namespace, lease in milliseconds, number of coroutines.
 */
fun main(arguments: Array<String>) {
    val (uri, namespace, lease, coroutines) = arguments
    val signalbox =
        Signalbox.connect(uri) {
            this.namespace = namespace
            this.lease = lease.toInt().milliseconds
        }
    runBlocking(Dispatchers.Default) {
        val event = signalbox.event("done")
        repeat(coroutines.toInt()) {
            launch {
                while (true) {
                    event.await()
                    println("got")
                }
            }
        }
    }
}
