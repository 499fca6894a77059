package io.signalbox.benchmarks

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactlyInAnyOrder
import io.signalbox.benchmarks.jmh.ConnectionsBenchmark
import io.signalbox.benchmarks.jmh.ContendedBenchmark
import io.signalbox.benchmarks.jmh.HandOffBenchmark
import io.signalbox.benchmarks.jmh.SingleBenchmark
import io.signalbox.benchmarks.jmh.UncontendedBenchmark
import io.signalbox.benchmarks.jmh.WaitingBenchmark
import org.openjdk.jmh.runner.BenchmarkList
import org.openjdk.jmh.runner.format.OutputFormatFactory
import org.openjdk.jmh.runner.options.VerboseMode

class JmhSpec :
    FunSpec({
        test("JMH knows the benchmarks: its annotation processor has run") {
            val silent = OutputFormatFactory.createFormatInstance(System.out, VerboseMode.SILENT)
            val found = BenchmarkList.defaultList().find(silent, listOf(".*"), emptyList()).map { it.userClassQName }
            found shouldContainExactlyInAnyOrder
                listOf(
                    ConnectionsBenchmark::class,
                    ContendedBenchmark::class,
                    HandOffBenchmark::class,
                    SingleBenchmark::class,
                    UncontendedBenchmark::class,
                    WaitingBenchmark::class,
                ).map { it.qualifiedName }
        }
    })
