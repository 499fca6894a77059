package io.signalbox.ledger

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldContainAll
import io.kotest.matchers.shouldBe
import io.signalbox.internal.ledger.HeldRuns
import io.signalbox.internal.ledger.Releases
import io.signalbox.internal.ledger.TokenRun
import java.util.TreeSet
import kotlin.random.Random

/** What a client tells the ledger to write when some of a batch of permits is released. */
class HeldRunsSpec : FunSpec({
    fun Releases.told() = Pair(ended, left)

    fun runs(vararg runs: TokenRun) = HeldRuns().apply { runs.forEach { add(it.first, it.count) } }

    test("a whole run ends, and nothing is left") {
        runs(TokenRun(10, 5)).release(longArrayOf(10, 11, 12, 13, 14)).told() shouldBe Pair(listOf(TokenRun(10, 5)), emptyList())
    }

    test("what is still held of a run is left: before, between and behind what is released") {
        runs(TokenRun(10, 8), TokenRun(18, 1)).release(longArrayOf(12, 13, 16, 18)).told() shouldBe
            Pair(listOf(TokenRun(10, 8), TokenRun(18, 1)), listOf(TokenRun(10, 2), TokenRun(14, 2), TokenRun(17, 1)))
    }

    test("what is left is a run like any other") {
        val runs = runs(TokenRun(10, 4))
        runs.release(longArrayOf(11))
        runs.release(longArrayOf(10, 12)).told() shouldBe Pair(listOf(TokenRun(10, 1), TokenRun(12, 2)), listOf(TokenRun(13, 1)))
    }

    test("a token of no known run is a run of its own, which ends") {
        runs(TokenRun(10, 2)).release(longArrayOf(9, 12)).told() shouldBe Pair(listOf(TokenRun(9, 1), TokenRun(12, 1)), emptyList())
        HeldRuns().release(longArrayOf()).told() shouldBe Pair(emptyList(), emptyList())
    }

    test("random batches, released in random pieces: every change is to what is there, and what is there is what is held") {
        val random = Random(1)
        repeat(200) {
            val runs = HeldRuns()
            val stored = HashSet<TokenRun>()
            val held = TreeSet<Long>()
            var next = 1_700_000_000_000_000L
            repeat(50) {
                if (random.nextBoolean()) {
                    val run = TokenRun(next + random.nextInt(2), random.nextInt(1, 20))
                    next = run.end
                    runs.add(run.first, run.count)
                    stored += run
                    held += run.tokens
                }
                val tokens = held.filter { random.nextInt(4) == 0 }
                val refused = random.nextInt(5) == 0
                val told = runs.release(tokens.toLongArray())
                told.tokens() shouldBe tokens
                stored shouldContainAll told.ended
                if (refused) {
                    runs.restore(told)
                } else {
                    stored -= told.ended.toSet()
                    stored += told.left
                    held -= tokens.toSet()
                }
                stored.flatMap { it.tokens }.sorted() shouldBe held.toList()
            }
            runs.release(held.toLongArray()).left.shouldBeEmpty()
        }
    }
})
