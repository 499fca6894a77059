package io.signalbox.examples.demo.timers

import io.signalbox.Signalbox
import io.signalbox.timers.Timers
import io.signalbox.timers.topic
import kotlin.concurrent.thread
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import kotlinx.serialization.Serializable

@Serializable
internal data class Beat(val text: String)

internal val Beats = topic<Beat>("beats")

/** A handler has begun, as a worker reports it. Times in milliseconds since 1970, the claim's in microseconds. */
internal class Fired(val worker: Int, val id: String, val due: Long, val at: Long, val attempt: Int, val claimed: Long) {
    companion object {
        fun parse(
            worker: Int,
            line: String,
        ): Fired? {
            val words = line.split(' ')
            if (words.size != 6 || words[0] != "fired") return null
            return Fired(worker, words[1], words[2].toLong(), words[3].toLong(), words[4].toInt(), words[5].toLong())
        }
    }
}

/** One of the processes that handle timers. Argument: the URI of the Redis. */
suspend fun main(arguments: Array<String>): Unit = withContext(Dispatchers.Default) {
    // When the input ends, the parent is dead.
    thread(isDaemon = true) {
        generateSequence(::readlnOrNull).forEach { _ -> }
        Runtime.getRuntime().halt(1)
    }
    val timers =
        Timers(Signalbox.connect(arguments[0])) {
            on(Beats) { println("fired $id ${due.toEpochMilli()} ${System.currentTimeMillis()} $attempt $fencingToken") }
        }
    println("ready")
    timers.run()
}
