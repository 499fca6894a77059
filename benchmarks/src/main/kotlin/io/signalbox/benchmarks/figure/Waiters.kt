package io.signalbox.benchmarks.figure

import io.signalbox.benchmarks.Bench
import io.signalbox.benchmarks.measure.Summary

/** Measured once: nothing in it is a race. */
internal suspend fun waiting(bench: Bench): List<FigureLine> {
    val cost = bench.waiting()

    fun atMost(
        name: String,
        value: Double,
        target: Double,
        digits: Int,
    ) = FigureLine.atMost("P5", name, Summary(value, value, value), target, digits)
    return listOf(
        atMost("waiting_connections", cost.connections.toDouble(), 2.0, 0),
        atMost("waiting_heap_bytes_each", cost.heapBytesEach, 1024.0, 0),
        // Three heartbeats in a lease, jittered, and six renewals of the one blocking pop: whatever the number of coroutines.
        atMost("waiting_commands_per_lease", cost.commandsPerLease, 12.0, 0),
        atMost("waiting_client_cpu_percent", cost.clientCpuPercent, 1.0, 2),
        atMost("waiting_server_cpu_percent", cost.serverCpuPercent, 1.0, 2),
    )
}
