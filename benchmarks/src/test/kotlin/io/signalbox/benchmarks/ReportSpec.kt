package io.signalbox.benchmarks

import io.kotest.core.spec.style.FunSpec
import io.kotest.engine.spec.tempdir
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.doubles.plusOrMinus
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.benchmarks.contender.Peer
import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.measure.Round
import io.signalbox.benchmarks.measure.Summary
import io.signalbox.benchmarks.measure.interleaved
import io.signalbox.benchmarks.measure.latencies
import io.signalbox.benchmarks.report.Machine
import io.signalbox.benchmarks.report.Plots
import io.signalbox.benchmarks.report.Report
import io.signalbox.benchmarks.report.Row
import io.signalbox.benchmarks.report.Tables
import javax.imageio.ImageIO

class ReportSpec :
    FunSpec({
        fun summary(value: Double) = Summary(value, value, value)

        test("a figure that falls short, and one that does not") {
            "${FigureLine.atLeast("P1", "uncontended_vs_raw", summary(5.4), 6.0)}" shouldBe "P1 uncontended_vs_raw 5.4 target 6 short"
            "${FigureLine.atLeast("P1", "uncontended_vs_raw", summary(6.0), 6.0)}" shouldBe "P1 uncontended_vs_raw 6.0 target 6 ok"
            "${FigureLine.atMost("P4", "handoff_p50_vs_raw", summary(1.31), 1.3)}" shouldBe "P4 handoff_p50_vs_raw 1.31 target 1.3 short"
            "${FigureLine.atMost("P5", "waiting_connections", summary(2.0), 2.0, digits = 0)}" shouldBe
                "P5 waiting_connections 2 target 2 ok"
        }

        test("a figure that can be met in another way") {
            "${FigureLine.atMost("P3", "single", summary(1.2), 1.15, excused = true)}" shouldBe "P3 single 1.20 target 1.15 ok"
        }

        test("a figure that is shown and not promised") {
            "${FigureLine.shown("P9", "proxy_round_trip_ms", summary(2.17))}" shouldBe "P9 proxy_round_trip_ms 2.17 no target"
        }

        test("median and range; ratios are taken round by round") {
            Summary.of(listOf(3.0, 1.0, 2.0)).run { listOf(median, low, high) } shouldContainExactly listOf(2.0, 1.0, 3.0)
            Summary.of(listOf(4.0, 1.0)).median shouldBe 2.5
            Summary.ofRatios(listOf(10.0, 20.0, 90.0), listOf(5.0, 10.0, 10.0)).median shouldBe 2.0
        }

        test("rounds are interleaved, after one to warm up, and their order turns") {
            val order = mutableListOf<String>()
            interleaved(listOf("a", "b"), rounds = 2, warmUp = { order += "warm $it" }) { order += it }
            order shouldContainExactly listOf("warm a", "warm b", "a", "b", "b", "a")
        }

        val machine = Machine(2, "a processor", "a system", "17", "Redis 7", mapOf("lettuce-core" to "7"))
        val histogram = latencies().apply { (1..100L).forEach { recordValue(it * 1000) } }
        val rows =
            listOf(Peer.SIGNALBOX, Peer.BLPOP_POOL).map { Row.ofLoop("contended", Entry(it, 64, 8), listOf(Round(1234.0, histogram))) } +
                Row.ofHandOff(Peer.SIGNALBOX, listOf(histogram))
        val report = Report(machine, 5, 1.2, listOf(FigureLine.atLeast("P1", "x", summary(5.4), 6.0)), rows, emptyList())

        test("percentiles, not averages") {
            rows.first().p50.median shouldBe (50.0 plusOrMinus 0.1)
            rows.first().p99.median shouldBe (99.0 plusOrMinus 0.1)
        }

        test("the JSON has all of it") {
            val read = Report.read(report.json())
            read.figures.map { "$it" } shouldContainExactly listOf("P1 x 5.4 target 6 short")
            read.rows shouldHaveSize 3
            read.json() shouldBe report.json()
        }

        test("the table in Markdown") {
            Tables.markdown(rows) shouldContain "| contended | 64 | 8 | Signalbox | 1,234 | 1,234 to 1,234 | 50 | 99 | 100 |"
        }

        test("plots") {
            val written = Plots(report, tempdir().toPath()).write()
            written.map { "${it.fileName}" } shouldContainExactly
                listOf("contended-throughput.png", "contended-latency.png", "hand-off-latency.png")
            written.forEach { ImageIO.read(it.toFile()).width shouldBe 900 }
        }
    })
