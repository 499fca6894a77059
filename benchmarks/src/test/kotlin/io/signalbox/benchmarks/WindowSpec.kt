package io.signalbox.benchmarks

import io.kotest.assertions.throwables.shouldNotThrowAny
import io.kotest.assertions.throwables.shouldThrow
import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.benchmarks.measure.CheckFailure
import io.signalbox.benchmarks.measure.TokenOrder
import io.signalbox.benchmarks.measure.TokenSlices
import io.signalbox.benchmarks.measure.Window
import io.signalbox.benchmarks.measure.WindowNotes
import io.signalbox.benchmarks.measure.WindowReport
import kotlinx.serialization.json.Json

private const val MILLI = 1_000_000L

/** What counts of loops that begin before a window and end behind it. */
class WindowSpec :
    FunSpec({
        val window = Window(start = 10 * MILLI, end = 20 * MILLI)

        fun noted(vararg pairs: LongArray) =
            WindowNotes(window).apply {
                pairs.forEach { (called, granted, releasing, ended) ->
                    held(called * MILLI, granted * MILLI, releasing * MILLI, token = 0)
                    ended(ended * MILLI)
                }
            }

        fun pair(vararg millis: Long) = millis

        test("pairs that ended in it, acquires granted in it, and the part of all holds that is in it") {
            val first = noted(pair(5, 8, 12, 13), pair(13, 15, 16, 17))
            val second = noted(pair(2, 3, 4, 5), pair(17, 19, 23, 24))
            val report = Json.decodeFromString<WindowReport>(Json.encodeToString(WindowNotes.report(listOf(first, second))))
            report.all shouldBe 4
            report.pairs shouldBe 2
            report.holds shouldBe 2
            report.holdNanos shouldBe 5 * MILLI
            report.usedNanos shouldBe (2 + 1 + 0 + 1) * MILLI
            report.waits().totalCount shouldBe 2
        }

        fun slices(vararg grants: Triple<Long, Long, Long>): TokenSlices =
            TokenOrder(window).apply { grants.forEach { (called, granted, token) -> add(called * MILLI, granted * MILLI, token) } }.slices

        test("tokens that rise over two processes, and two acquires under way at once in any order") {
            shouldNotThrowAny {
                TokenOrder.check("x", TokenOrder.merged(listOf(slices(Triple(10, 12, 5)), slices(Triple(11, 13, 4), Triple(14, 15, 6)))))
            }
        }

        test("a token that one process gets after another was granted a larger one") {
            val failure =
                shouldThrow<CheckFailure> {
                    TokenOrder.check("x", TokenOrder.merged(listOf(slices(Triple(10, 12, 5)), slices(Triple(13, 14, 4)))))
                }
            failure.message shouldContain "an acquire called when token 5 had been granted got 4"
        }
    })
