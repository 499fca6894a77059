package io.signalbox.internal.redis

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.ints.shouldBeGreaterThanOrEqual
import io.kotest.matchers.shouldBe
import io.kotest.property.Arb
import io.kotest.property.arbitrary.long
import io.kotest.property.arbitrary.set
import io.kotest.property.checkAll
import io.signalbox.internal.redis.ScriptArgs.split

/** Released tokens travel as ranges where that is shorter. */
class ScriptArgsSpec : FunSpec({
    fun tokens(vararg tokens: Long) = longArrayOf(*tokens)

    test("nothing makes no ranges and no singles") {
        split(tokens()) shouldBe Pair(emptyList(), emptyList())
    }

    test("a few neighbours stay single, four and more are a range") {
        split(tokens(7)) shouldBe Pair(emptyList(), listOf(7L))
        split(tokens(7, 8, 9)) shouldBe Pair(emptyList(), listOf(7L, 8L, 9L))
        split(tokens(7, 8, 9, 10)) shouldBe Pair(listOf(7L..10L), emptyList())
    }

    test("gaps part ranges, at the beginning, in between and at the end") {
        split(tokens(1, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 20, 21)) shouldBe
            Pair(listOf(3L..6L, 10L..14L), listOf(1L, 8L, 20L, 21L))
    }

    test("tokens of real size keep all their digits") {
        val base = 1_795_228_074_234_701
        split(LongArray(5) { base + it }) shouldBe Pair(listOf(base..base + 4), emptyList())
        split(tokens((1L shl 53) - 2, (1L shl 53) - 1)) shouldBe Pair(emptyList(), listOf((1L shl 53) - 2, (1L shl 53) - 1))
    }

    test("ranges and singles together are exactly the tokens, in order, with no range that could be longer") {
        checkAll(500, Arb.set(Arb.long(0L..120L), 0..100)) { set ->
            val sorted = set.sorted()
            val (ranges, singles) = split(sorted.toLongArray())
            (ranges.flatten() + singles).sorted() shouldBe sorted
            singles shouldBe singles.sorted()
            for (range in ranges) {
                range.count() shouldBeGreaterThanOrEqual 4
                listOf(range.first - 1, range.last + 1).filter { it in set }.shouldBeEmpty()
            }
        }
    }
})
