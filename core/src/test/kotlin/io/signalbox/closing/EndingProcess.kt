package io.signalbox.closing

import io.signalbox.SemaphoreAlgorithm
import io.signalbox.Signalbox
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.minutes
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.awaitCancellation
import kotlinx.coroutines.runBlocking

/** How a process can come to its end with a client in it. */
enum class Ending { USE_IN_MAIN, EXIT_AFTER_CLOSE, CLOSED_BY_HOOK, CLOSED_BY_HOOK_AFTER_A_SIGNAL }

/**
 * Takes all of a semaphore, and of a pool, says so, and ends.
 *
 * Arguments: URI of the server, namespace, how to end.
 */
fun main(arguments: Array<String>) {
    val (uri, namespace, how) = arguments
    val signalbox =
        Signalbox.connect(uri) {
            this.namespace = namespace
            lease = 10.minutes
        }

    fun hold() = runBlocking(Dispatchers.Default) {
        signalbox.semaphore("held", permits = 100).acquire(permits = 100)
        signalbox.semaphore("pool", permits = 1) { algorithm = SemaphoreAlgorithm.Pool() }.acquire()
        println("holds")
    }
    when (Ending.valueOf(how)) {
        Ending.USE_IN_MAIN -> signalbox.use { hold() }

        Ending.EXIT_AFTER_CLOSE -> {
            hold()
            signalbox.close()
            exitProcess(0)
        }

        Ending.CLOSED_BY_HOOK -> {
            Runtime.getRuntime().addShutdownHook(Thread { signalbox.close() })
            hold()
            exitProcess(0)
        }

        Ending.CLOSED_BY_HOOK_AFTER_A_SIGNAL -> {
            Runtime.getRuntime().addShutdownHook(Thread { signalbox.close() })
            hold()
            runBlocking { awaitCancellation() }
        }
    }
}
