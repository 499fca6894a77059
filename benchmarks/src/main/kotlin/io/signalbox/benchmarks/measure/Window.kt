package io.signalbox.benchmarks.measure

import java.nio.ByteBuffer
import java.util.Base64
import kotlinx.serialization.Serializable
import org.HdrHistogram.Histogram

/** A stretch of time that several processes share, by a clock that they share (`System.nanoTime` on Linux and macOS). */
@Serializable
internal class Window(
    val start: Long,
    val end: Long,
) {
    val nanos: Long get() = end - start

    operator fun contains(time: Long): Boolean = time in start..<end

    /** How much of the time from [from] to [to] is in it. */
    fun overlap(
        from: Long,
        to: Long,
    ): Long = (minOf(to, end) - maxOf(from, start)).coerceAtLeast(0)
}

/** What one coroutine did within [window]; what it did before and after is counted, no more. */
internal class WindowNotes(
    private val window: Window,
) : Notes {
    private val waits = Sample()
    private var pairs = 0L
    private var all = 0L
    private var holds = 0L
    private var holdNanos = 0L
    private var usedNanos = 0L
    private val tokens = TokenOrder(window)

    override fun held(
        called: Long,
        granted: Long,
        releasing: Long,
        token: Long,
    ) {
        all++
        usedNanos += window.overlap(granted, releasing)
        if (token != 0L) tokens.add(called, granted, token)
        if (granted !in window) return
        waits.add(granted - called)
        holds++
        holdNanos += releasing - granted
    }

    override fun ended(now: Long) {
        if (now in window) pairs++
    }

    companion object {
        fun report(notes: List<WindowNotes>): WindowReport {
            val histogram = latencies()
            notes.forEach { own -> own.waits.forEach { histogram.recordValue(it) } }
            return WindowReport(
                notes.sumOf { it.pairs },
                notes.sumOf { it.all },
                notes.sumOf { it.holds },
                notes.sumOf { it.holdNanos },
                notes.sumOf { it.usedNanos },
                encoded(histogram),
                TokenOrder.merged(notes.map { it.tokens.slices }),
            )
        }

        private fun encoded(histogram: Histogram): String {
            val buffer = ByteBuffer.allocate(histogram.neededByteBufferCapacity)
            val size = histogram.encodeIntoCompressedByteBuffer(buffer)
            return Base64.getEncoder().encodeToString(buffer.array().copyOf(size))
        }
    }
}

/** What one process did within a window. */
@Serializable
internal class WindowReport(
    /** Pairs that ended in the window, and all of them. */
    val pairs: Long,
    val all: Long,
    /** Permits granted in the window, how long they were held in all, and how much of all holds was in the window. */
    val holds: Long,
    val holdNanos: Long,
    val usedNanos: Long,
    private val histogram: String,
    val tokens: TokenSlices,
) {
    fun waits(): Histogram = Histogram.decodeFromCompressedByteBuffer(ByteBuffer.wrap(Base64.getDecoder().decode(histogram)), 0)
}
