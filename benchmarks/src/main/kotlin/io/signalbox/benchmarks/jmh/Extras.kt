package io.signalbox.benchmarks.jmh

import java.util.concurrent.ConcurrentLinkedQueue
import org.HdrHistogram.Histogram
import org.openjdk.jmh.infra.BenchmarkParams
import org.openjdk.jmh.infra.IterationParams
import org.openjdk.jmh.profile.InternalProfiler
import org.openjdk.jmh.results.AggregationPolicy
import org.openjdk.jmh.results.IterationResult
import org.openjdk.jmh.results.Result
import org.openjdk.jmh.results.ScalarResult

/** Adds to the results of an iteration what JMH cannot know: percentiles of the latencies inside an invocation, and counted costs. */
internal class Extras : InternalProfiler {
    override fun getDescription(): String = "Percentiles of acquires and hand-offs, costs of waiting"

    override fun beforeIteration(
        benchmarkParams: BenchmarkParams,
        iterationParams: IterationParams,
    ) = found.clear()

    override fun afterIteration(
        benchmarkParams: BenchmarkParams,
        iterationParams: IterationParams,
        result: IterationResult,
    ): Collection<Result<*>> {
        val results = found.toList()
        val histograms = results.filterIsInstance<Histogram>()
        val percentiles =
            if (histograms.isEmpty()) {
                emptyList()
            } else {
                val all = Histogram(3).apply { histograms.forEach { add(it) } }
                PERCENTILES.map { (name, percentile) -> scalar("latency.$name", all.getValueAtPercentile(percentile) / 1e3, "us") }
            }
        return percentiles + results.filterIsInstance<Cost>().map { scalar(it.name, it.value, it.unit) }
    }

    private fun scalar(
        name: String,
        value: Double,
        unit: String,
    ) = ScalarResult(name, value, unit, AggregationPolicy.AVG)

    private class Cost(
        val name: String,
        val value: Double,
        val unit: String,
    )

    companion object {
        private val PERCENTILES = mapOf("p50" to 50.0, "p99" to 99.0, "p99.9" to 99.9)
        private val found = ConcurrentLinkedQueue<Any>()

        fun latencies(histogram: Histogram) {
            found += histogram
        }

        fun cost(
            name: String,
            value: Double,
            unit: String,
        ) {
            found += Cost(name, value, unit)
        }
    }
}
