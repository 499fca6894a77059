package io.signalbox.chaos.client

import java.io.FileOutputStream
import java.nio.file.Path

/** Where a client writes down what it lives through. Unbuffered: what was said outlives the process. */
internal class Journal(
    path: Path,
) : AutoCloseable {
    private val file = FileOutputStream(path.toFile(), true)

    fun say(
        what: What,
        worker: Int,
        thing: String,
        a: Long = 0,
        b: Long = 0,
        c: Long = 0,
        d: Long = 0,
    ) {
        val line = "${Said(System.nanoTime(), what, worker, thing, a, b, c, d)}\n".toByteArray()
        synchronized(file) { file.write(line) }
    }

    override fun close() = file.close()
}
