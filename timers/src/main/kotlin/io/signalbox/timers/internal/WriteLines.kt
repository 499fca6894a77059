package io.signalbox.timers.internal

import io.signalbox.internal.SignalboxBackend
import io.signalbox.timers.internal.ledger.TimerLedger

/**
 * The lines to one shard: two, so that one request is made and read while the other is executed. What is said about one timer always goes
 * over the same line, so it keeps its order.
 */
internal class WriteLines(
    shard: Int,
    ledger: TimerLedger,
    backend: SignalboxBackend,
    boundMillis: Long,
) {
    private val lines = List(LINES) { WriteLine(shard, ledger, backend, boundMillis) }

    fun submit(operation: Operation) = lines[lineOf(operation)].submit(listOf(operation))

    fun submitAll(operations: List<Operation>) = operations.groupBy(::lineOf).forEach { (line, own) -> lines[line].submit(own) }

    private fun lineOf(operation: Operation) = operation.id.hashCode() and LINES - 1

    fun close() = lines.forEach { it.close() }

    suspend fun awaitEnd() = lines.forEach { it.awaitEnd() }

    private companion object {
        const val LINES = 2
    }
}
