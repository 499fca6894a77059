package io.signalbox.timers.processes

import io.signalbox.Signalbox
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import java.io.FileOutputStream
import kotlin.time.Duration.Companion.milliseconds
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable

/** What a timer of [KillTest] carries: which setting of it this is, and when that one is due, for a client that knows. */
@Serializable
data class Setting(val version: Int)

val Settings = topic<Setting>("settings")

/**
 * A worker that is there to be killed. Writes a line for each handler that begins: id, version, due, attempt, token, and the time of day.
 * Unbuffered, so that what was written survives the process.
 *
 * Arguments: URI, namespace, file.
 */
fun main(arguments: Array<String>): Unit = runBlocking(Dispatchers.Default) {
    val (uri, space, file) = arguments
    val journal = FileOutputStream(file, true)
    val signalbox = Signalbox.connect(uri) { namespace = space }
    val timers =
        Timers(signalbox) {
            concurrency = 32
            on(Settings) {
                val line = "$id ${it.version} ${due.toEpochMilli()} $attempt $fencingToken ${System.currentTimeMillis()}\n"
                synchronized(journal) { journal.write(line.toByteArray()) }
                // Some take their time, so that kills hit running handlers too.
                if (id.hashCode() % 50 == 0) delay(300.milliseconds)
            }
        }
    val run = launch { timers.run() }
    println("ready $signalbox")
    readlnOrNull()
    run.cancelAndJoin()
    signalbox.closeAndJoin()
    println("done")
}
