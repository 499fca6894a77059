package io.signalbox.testkit

import java.io.IOException
import java.net.Socket
import kotlin.concurrent.thread

/**
 * One direction of a proxied connection.
 *
 * ```
 * from --reader thread--> queue --writer thread, while the gate is open--> to
 * ```
 *
 * The reader never waits for the gate: whatever the sender does after sending, its bytes are here.
 */
internal abstract class Lane(private val monitor: Monitor, private val name: String, private val from: Socket, private val to: Socket) {
    private class Chunk(val bytes: ByteArray, val dueNanos: Long)

    private val corner = monitor.corner()
    private val queue = ArrayDeque<Chunk>()
    private var sourceEnded = false
    private var discarding = false

    /** Whether the writer may write. Called under the monitor. */
    protected abstract val isGateOpen: Boolean

    /** How long new bytes have to wait. Called under the monitor. */
    protected abstract val delayNanos: Long

    /** Looks at new bytes before they are queued; false drops them. */
    protected abstract fun accept(bytes: ByteArray): Boolean

    /** Called once, when everything has been written that ever will be. */
    protected abstract fun onEnd()

    fun start() {
        thread(isDaemon = true, name = "$name-reader", block = ::read)
        thread(isDaemon = true, name = "$name-writer", block = ::write)
    }

    /** Forgets what is queued and what is still to come. */
    fun discard() {
        monitor.change {
            discarding = true
            queue.clear()
        }
    }

    /** Whether bytes with [text] in them wait for the gate. Called under the monitor. */
    fun holds(text: String): Boolean = !isGateOpen && text in queue.joinToString("") { it.bytes.text() }

    private fun read() {
        val buffer = ByteArray(BUFFER_SIZE)
        try {
            while (true) {
                val size = from.getInputStream().read(buffer)
                if (size < 0) break
                val bytes = buffer.copyOf(size)
                if (accept(bytes)) monitor.changeIn(corner) { if (!discarding) queue += Chunk(bytes, System.nanoTime() + delayNanos) }
            }
        } catch (_: IOException) {
            // Reset or closed: for this lane the same as the end of the stream.
        } finally {
            monitor.changeIn(corner) { sourceEnded = true }
        }
    }

    private fun write() {
        while (true) {
            val bytes = next() ?: break
            try {
                to.getOutputStream().write(bytes)
            } catch (_: IOException) {
                discard()
            }
        }
        monitor.leave(corner)
        onEnd()
    }

    private fun next(): ByteArray? = monitor.await(corner) {
        val head = queue.firstOrNull()
        when {
            discarding || (isGateOpen && head == null) -> isOver = sourceEnded
            isGateOpen && head != null -> nanos = head.dueNanos - System.nanoTime()
        }
        if (nanos <= 0) queue.removeFirst().bytes else null
    }

    private companion object {
        const val BUFFER_SIZE = 64 * 1024
    }
}

/** Bytes as text with one character for each byte, whatever they mean. */
internal fun ByteArray.text(): String = toString(Charsets.ISO_8859_1)
