package io.signalbox.benchmarks

import io.kotest.core.spec.style.FunSpec
import io.kotest.inspectors.forAll
import io.kotest.matchers.collections.shouldContain
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.doubles.shouldBeBetween
import io.kotest.matchers.doubles.shouldBeGreaterThan
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldMatch
import io.signalbox.benchmarks.contender.Statistics
import io.signalbox.benchmarks.figure.Figure
import io.signalbox.benchmarks.figure.FigureLine
import io.signalbox.benchmarks.scripts.ScriptPrices
import io.signalbox.testkit.RedisServer
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Longer than a pause of the machine, or there would be no pair in it. */
private val A_MOMENT = 150.milliseconds

/** Long enough for a pair of every peer on a busy machine. */
private val A_WHILE = 500.milliseconds

/** Figures in rounds of a moment: that they are measured, checked and named, not what they come to. */
class FiguresSpec :
    FunSpec({
        val server = autoClose(RedisServer.start {})
        val statistics = autoClose(Statistics(server.uri))

        suspend fun measured(
            figure: Figure,
            round: Duration = A_MOMENT,
            check: (lines: List<FigureLine>, bench: Bench) -> Unit,
        ) {
            val bench = Bench(server.uri, statistics, Plan(rounds = 1, round = round))
            val lines = figure.measure(bench)
            lines.forAll {
                "$it" shouldMatch Regex("(P[0-9][bc]?|[JC][12]|Q1|pool) [a-z0-9_]+ [0-9.]+ (target [0-9.]+ (ok|short)|no target)")
            }
            check(lines, bench)
        }

        fun names(lines: List<FigureLine>) = lines.map { it.name }

        test("P1: both forms beside raw lists and Redisson") {
            measured(Figure.P1) { lines, bench ->
                names(lines) shouldContainAll listOf("uncontended_vs_raw", "uncontended_block_vs_redisson")
                bench.rows.map { it.peer } shouldContainAll listOf("Signalbox, withPermit", "raw LPOP+RPUSH, RPUSH not awaited")
            }
        }

        test("P2: small counts beside 1000, and the pool algorithm beside as many waiters") {
            measured(Figure.P2) { lines, bench ->
                lines.map { it.id }.distinct() shouldContainExactly listOf("P2c", "pool", "P2b", "P2")
                lines.filter { it.id == "pool" }.map { it.name.substringBefore("_vs") } shouldContainExactly
                    listOf("uncontended_pair", "contended_16", "contended_64", "contended_256")
                bench.rows.filter { it.peer == "Signalbox" }.map { it.coroutines to it.permits } shouldContainExactly
                    listOf(1 to 8, 2 to 1, 4 to 8, 16 to 8, 64 to 8, 1000 to 8)
            }
        }

        test("P3: both forms of one coroutine beside three peers") {
            measured(Figure.P3) { lines, _ -> lines.size shouldBe 6 }
        }

        test("P4: hand-off between two clients") {
            measured(Figure.P4) { lines, _ -> names(lines) shouldContainExactly listOf("handoff_p50_vs_raw", "handoff_p99_vs_redisson") }
        }

        test("P8: two processes") {
            measured(Figure.P8, A_WHILE) { lines, bench ->
                names(lines) shouldContain "two_processes_p99_vs_blpop_pool"
                bench.rows.map { it.coroutines } shouldContainExactly listOf(1000, 1000, 512, 512)
            }
        }

        test("P9: permits in use behind a proxy, in one process and in two") {
            measured(Figure.P9, A_WHILE) { lines, _ ->
                fun value(name: String) = lines.single { it.name == name }.value.median
                value("one_process_percent_in_use").shouldBeBetween(0.0, 100.0, 0.0)
                value("two_processes_block_percent_in_use").shouldBeBetween(0.0, 100.0, 0.0)
                value("one_process_mean_hold_ms") shouldBeGreaterThan 1.0
                value("proxy_round_trip_ms") shouldBeGreaterThan 2.0
            }
        }

        test("J1 and J2: both Java views") {
            measured(Figure.J1) { lines, _ -> names(lines) shouldContain "java_futures_at_1000" }
            measured(Figure.J2) { lines, _ -> names(lines) shouldContainExactly listOf("java_blocking_p50") }
        }

        test("C1 and C2: a cluster of three beside one server, and beside a cluster of one") {
            measured(Figure.C1) { lines, bench ->
                names(lines) shouldContainExactly
                    listOf("cluster_uncontended_price", "cluster_contended_price", "cluster_handoff_p50_price")
                bench.close()
            }
            measured(Figure.C2) { lines, _ -> names(lines) shouldContain "commands_per_pair_3_vs_1" }
        }

        test("Q1: a mutex on three masters beside Redisson's, and beside one server") {
            measured(Figure.Q1, A_WHILE) { lines, bench ->
                names(lines) shouldContainExactly
                    listOf(1, 64).flatMap { coroutines ->
                        listOf("vs_red_lock", "block_vs_red_lock", "p50_vs_red_lock", "p50_vs_one_server").map {
                            "masters_${coroutines}_$it"
                        }
                    }
                bench.rows.map { it.coroutines to it.permits }.distinct() shouldContainExactly listOf(1 to 1, 64 to 1)
                bench.close()
            }
        }

        test("what each kind of exchange costs the server") {
            val lines = ScriptPrices(server.uri, statistics, rounds = 1, calls = 10, batch = 50).measure()
            lines.map { it.name } shouldContainExactly
                listOf("no-op us", "lone-acquire us", "lone-release us", "batch-of-500 us", "hand-off us", "heartbeat us")
            // A difference of two sums, of few calls here: on a busy machine it may come out below zero.
            lines.forAll { "$it" shouldMatch Regex("script [a-z0-9-]+ us -?[0-9.]+ (target 10 (ok|short)|no target)") }
        }
    })
