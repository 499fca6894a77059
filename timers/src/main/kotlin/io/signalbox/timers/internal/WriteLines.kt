package io.signalbox.timers.internal

import io.signalbox.internal.SignalboxBackend
import io.signalbox.timers.internal.ledger.TimerLedger
import java.util.concurrent.ConcurrentHashMap

/**
 * The lines to one shard: two, so that one request is made and read while the other is executed. What is said about one timer goes over the
 * line on which something about it is still under way, so it keeps its order; what is set together goes over one line, and keeps its order
 * too.
 */
internal class WriteLines(
    shard: Int,
    ledger: TimerLedger,
    backend: SignalboxBackend,
    boundMillis: Long,
) {
    private val lines = List(LINES) { WriteLine(shard, ledger, backend, boundMillis) }
    private val underWay = ConcurrentHashMap<Operation.Timer, UnderWay>()

    /** On which line operations about a timer are, and how many. */
    private class UnderWay(
        val line: Int,
        var count: Int,
    )

    fun submit(operation: Operation) = lines[assign(operation, operation.timer.hashCode() and LINES - 1)].submit(listOf(operation))

    fun submitAll(operations: List<Operation>) {
        val line = operations.first().timer.hashCode() and LINES - 1
        operations.groupBy { assign(it, line) }.forEach { (own, some) -> lines[own].submit(some) }
    }

    private fun assign(
        operation: Operation,
        preferred: Int,
    ): Int {
        operation.onEnd = ::ended
        return underWay.compute(operation.timer) { _, known -> known?.apply { count++ } ?: UnderWay(preferred, 1) }!!.line
    }

    private fun ended(timer: Operation.Timer) {
        underWay.computeIfPresent(timer) { _, known -> if (--known.count == 0) null else known }
    }

    fun close() = lines.forEach { it.close() }

    fun end() = lines.forEach { it.end() }

    suspend fun awaitEnd() = lines.forEach { it.awaitEnd() }

    private companion object {
        const val LINES = 2
    }
}
