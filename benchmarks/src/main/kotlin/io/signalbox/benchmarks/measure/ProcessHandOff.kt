package io.signalbox.benchmarks.measure

import io.signalbox.benchmarks.contender.Arena
import io.signalbox.benchmarks.contender.Contender
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.testkit.ChildJvm
import java.time.Duration
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import org.HdrHistogram.Histogram

/**
 * [HandOff] between this process and a child. Both note when they were granted the permit and when they released it, by a clock that the
 * processes of a machine share (`System.nanoTime` on Linux and macOS).
 */
internal class ProcessHandOff(
    private val peer: Peer,
    private val arena: Arena,
) {
    /** [handOffs] back and forth; an even number. */
    fun runTimes(handOffs: Int): Histogram {
        val turns = handOffs / 2
        ChildJvm.start(MAIN, listOf(arena.uri, arena.name, peer.name, "$turns")).use { child ->
            child.awaitLine("ready")
            val own = runBlocking { peer.open(arena).use { turns(it, turns, isLast = false) { child.send("go") } } }
            child.awaitLine(STAMPS, Duration.ofMinutes(2))
            val theirs = Turns.read(child.awaitLine(",")) to Turns.read(child.awaitLine(","))
            return merge(own, Turns(theirs.first, theirs.second))
        }
    }

    private fun merge(
        own: Turns,
        theirs: Turns,
    ): Histogram {
        val histogram = latencies()
        for (i in own.granted.indices) {
            record(histogram, theirs.granted[i] - own.released[i])
            if (i > 0) record(histogram, own.granted[i] - theirs.released[i - 1])
        }
        return histogram
    }

    private fun record(
        histogram: Histogram,
        nanos: Long,
    ) {
        if (nanos <= 0) throw CheckFailure("${peer.title()}: granted to two processes at once, or their clocks differ by ${-nanos} ns.")
        histogram.recordValue(nanos)
    }

    companion object {
        private const val MAIN = "io.signalbox.benchmarks.measure.ProcessHandOffKt"
        const val STAMPS = "stamps"
    }
}

internal class Turns(
    val granted: LongArray,
    val released: LongArray,
) {
    companion object {
        fun read(line: String): LongArray = line.split(',').map { it.toLong() }.toLongArray()
    }
}

/** Takes the permit so many times, and gives it up each time when the other process waits for it; the last of all just gives it up. */
private suspend fun turns(
    contender: Contender,
    turns: Int,
    isLast: Boolean,
    begun: () -> Unit,
): Turns =
    withContext(Dispatchers.Default) {
        val granted = LongArray(turns)
        val released = LongArray(turns)
        for (i in 0 until turns) {
            val grant = contender.acquire()
            granted[i] = System.nanoTime()
            if (i == 0) begun()
            if (!isLast || i < turns - 1) while (!contender.isAwaited()) Thread.onSpinWait()
            released[i] = System.nanoTime()
            contender.release(grant)
        }
        Turns(granted, released)
    }

/** The child: `uri name peer turns`. */
fun main(arguments: Array<String>) {
    val (uri, name, peer, turns) = arguments
    Statistics(uri).use { statistics ->
        runBlocking {
            Peer.valueOf(peer).open(Arena(uri, name, permits = 1, coroutines = 1, statistics)).use { contender ->
                println("ready")
                readln()
                val own = turns(contender, turns.toInt(), isLast = true) {}
                println(ProcessHandOff.STAMPS)
                println(own.granted.joinToString(","))
                println(own.released.joinToString(","))
            }
        }
    }
}
