package io.signalbox.history

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldHaveSize
import io.kotest.matchers.collections.shouldNotBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain

/** The checkers are code too: each is shown histories by hand, good ones and one for each way to go wrong. */
class CheckersTest : FunSpec({
    /** `ms session event argument...`, one a line; two sessions with a lease of 1000 ms are there. */
    fun check(
        permits: Int,
        history: String,
    ): List<String> {
        val begin = "0 a.1 open a 1000\n0 a.1 created epoch $permits\n0 b.1 open b 1000\n"
        val events =
            (begin + history.trimIndent()).lines().map { line ->
                val (millis, rest) = line.split(' ', limit = 2)
                AuditEvent.parse("${millis.toLong() * 1000} $rest")
            }
        return AuditCheck("s", permits).replay(events).finish().violations
    }

    test("a history without a fault") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            20 b.1 exchange 1
            20 b.1 queued b.1 0 1 1
            30 a.1 exchange 2
            30 a.1 returned a.1 100 1
            30 a.1 granted b.1 0 101 1
            40 b.1 exchange 2
            40 b.1 returned b.1 101 1
            """,
        ).shouldBeEmpty()
    }

    test("a crash without a fault: the dead session's permit and place are taken when its lease is over") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            10 a.1 queued a.1 1 1 1
            900 b.1 exchange 1
            900 b.1 queued b.1 0 2 1
            1011 b.1 exchange 2
            1011 b.1 expired a.1 100 1
            1011 b.1 ended a.1
            1011 b.1 left a.1 1 1
            1011 b.1 granted b.1 0 101 1
            1020 b.1 exchange 3
            1020 b.1 returned b.1 101 1
            """,
        ).shouldBeEmpty()
    }

    test("runs of permits and of waiters without a fault") {
        check(
            3,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 3
            20 b.1 exchange 1
            20 b.1 queued b.1 0 1 3
            30 a.1 exchange 2
            30 a.1 returned a.1 100 3
            30 a.1 kept a.1 101 1
            30 a.1 granted b.1 0 103 2
            40 a.1 exchange 3
            40 a.1 returned a.1 101 1
            40 a.1 granted b.1 2 105 1
            50 b.1 exchange 2
            50 b.1 returned b.1 103 2
            50 b.1 returned b.1 105 1
            """,
        ).shouldBeEmpty()
    }

    test("a permit kept that never was granted, and one too many of a run") {
        val violations =
            check(
                2,
                """
                10 a.1 exchange 1
                10 a.1 granted a.1 0 100 3
                20 a.1 exchange 2
                20 a.1 returned a.1 100 3
                20 a.1 kept a.1 103 1
                """,
            )
        violations.size shouldBe 2
        violations[0] shouldContain "3 of 2 permits held"
        violations[1] shouldContain "a.1 keeps 103"
    }

    test("a repeated exchange does not prolong the lease") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            700 a.1 exchange 1
            1011 b.1 exchange 1
            1011 b.1 expired a.1 100 1
            1011 b.1 ended a.1
            """,
        ).shouldBeEmpty()
    }

    test("more permits than there are") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            20 b.1 exchange 1
            20 b.1 granted b.1 0 101 1
            30 a.1 exchange 2
            30 a.1 returned a.1 100 2
            30 b.1 returned b.1 100 2
            """,
        ).single() shouldContain "2 of 1 permits held"
    }

    test("a newcomer passes by the queue") {
        check(
            2,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            10 a.1 granted a.1 1 101 1
            20 b.1 exchange 1
            20 b.1 queued b.1 0 1 1
            30 a.1 exchange 2
            30 a.1 returned a.1 100 2
            30 a.1 granted a.1 2 102 1
            30 a.1 granted b.1 0 103 1
            40 a.1 exchange 3
            40 a.1 returned a.1 102 1
            40 b.1 returned b.1 103 1
            """,
        ).single() shouldContain "passes by b.1/0"
    }

    test("the queue is served out of order") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            20 b.1 exchange 1
            20 b.1 queued b.1 0 1 1
            20 b.1 queued b.1 1 2 1
            30 a.1 exchange 2
            30 a.1 returned a.1 100 1
            30 a.1 granted b.1 1 101 1
            40 b.1 exchange 2
            40 b.1 returned b.1 101 1
            40 b.1 granted b.1 0 102 1
            50 b.1 exchange 3
            50 b.1 returned b.1 102 1
            """,
        ).single() shouldContain "passes by b.1/0"
    }

    test("a token that does not grow") {
        for (token in listOf(100, 99)) {
            check(
                2,
                """
                10 a.1 exchange 1
                10 a.1 granted a.1 0 100 1
                20 b.1 exchange 1
                20 b.1 granted b.1 0 $token 1
                30 a.1 exchange 2
                30 a.1 returned a.1 100 1
                30 b.1 returned b.1 $token 1
                """,
            ).single() shouldContain "token not larger than 100"
        }
    }

    test("a permit that is never given back") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            """,
        ).single() shouldContain "leaked: permit 100"
    }

    test("a place that is never given up, and a permit that nobody gets although somebody waits") {
        val violations =
            check(
                1,
                """
                10 a.1 exchange 1
                10 a.1 granted a.1 0 100 1
                20 b.1 exchange 1
                20 b.1 queued b.1 0 1 1
                30 a.1 exchange 2
                30 a.1 returned a.1 100 1
                40 a.1 exchange 3
                """,
            )
        violations shouldHaveSize 2
        violations[0] shouldContain "0 of 1 were held and b.1/0 waited"
        violations[1] shouldContain "leaked: place b.1/0"
    }

    test("a permit, a session and a place taken before the lease is over") {
        val taken =
            check(
                1,
                """
                10 a.1 exchange 1
                10 a.1 granted a.1 0 100 1
                20 a.1 exchange 2
                20 a.1 queued a.1 1 1 1
                800 b.1 exchange 1
                800 b.1 left a.1 1 1
                800 b.1 expired a.1 100 1
                800 b.1 ended a.1
                """,
            )
        taken shouldHaveSize 3
        taken.forEach { it shouldContain "taken after 780 ms of a lease of 1000 ms" }
    }

    test("a grant to a session that is over, or should be") {
        check(
            1,
            """
            10 a.1 exchange 1
            10 a.1 granted a.1 0 100 1
            20 b.1 exchange 1
            20 b.1 queued b.1 0 1 1
            990 a.1 exchange 2
            1990 a.1 exchange 3
            1990 a.1 returned a.1 100 1
            1990 a.1 granted b.1 0 101 1
            1990 b.1 returned b.1 101 1
            """,
        ).single() shouldContain "granted to a session silent for a lease"
    }

    test("data that were lost") {
        check(1, "10 a.1 created epoch 1").shouldNotBeEmpty()
    }

    test("holders that do not overlap, or not too many") {
        overlaps("s", 1, listOf(HoldInterval(1, "a", 0, 9), HoldInterval(2, "a", 10, 10), HoldInterval(3, "a", 11, 20))).shouldBeEmpty()
        overlaps("s", 2, listOf(HoldInterval(1, "a", 0, 9), HoldInterval(2, "a", 5, 15), HoldInterval(3, "a", 10, 20))).shouldBeEmpty()
    }

    test("holders that overlap, be it for a moment or by one being within another") {
        overlaps("s", 1, listOf(HoldInterval(1, "a", 0, 9), HoldInterval(2, "a", 9, 10))) shouldHaveSize 1
        overlaps("s", 1, listOf(HoldInterval(1, "a", 0, 100), HoldInterval(2, "a", 30, 40), HoldInterval(3, "a", 60, 70))) shouldHaveSize 2
        overlaps("s", 2, listOf(HoldInterval(1, "a", 0, 9), HoldInterval(2, "a", 5, 15), HoldInterval(3, "a", 8, 20))) shouldHaveSize 1
    }

    test("an update of a fenced register that was lost, and one that came late") {
        fun register(vararg accepted: Pair<Long, Long>) = registerViolations("s", accepted.toList())
        register(5L to 1L, 7L to 2L, 7L to 3L).shouldBeEmpty()
        register(5L to 1L, 7L to 1L).single() shouldContain "lost"
        register(7L to 1L, 5L to 2L).single() shouldContain "after 7"
        register().size shouldBe 0
    }
})
