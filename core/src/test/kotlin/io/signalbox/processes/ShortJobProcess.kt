package io.signalbox.processes

import io.signalbox.Signalbox
import kotlin.time.Duration.Companion.minutes
import kotlin.time.Duration.Companion.seconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking

/**
 * Takes the lock `job` with a minimum hold of three seconds, gives it back when it is told to, and is gone without another word.
 *
 * Arguments: URI of the server, namespace.
 */
fun main(arguments: Array<String>) {
    val (uri, namespace) = arguments
    val signalbox =
        Signalbox.connect(uri) {
            this.namespace = namespace
            lease = 10.minutes
        }
    runBlocking(Dispatchers.Default) {
        val lock = signalbox.mutex("job").lock(minHold = 3.seconds)
        println("holds ${lock.fencingToken}")
        readln()
        check(lock.release())
    }
    Runtime.getRuntime().halt(0)
}
