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
        val begin = "0 a.1 open a 1000\n0 a.1 created epoch $permits\n0 a.1 begun a.1 0\n0 b.1 open b 1000\n0 b.1 begun b.1 0\n"
        val events =
            (begin + history.trimIndent()).lines().map { line ->
                val (millis, rest) = line.split(' ', limit = 2)
                AuditEvent.parse("${millis.toLong() * 1000} $rest")
            }
        return AuditCheck("s", permits).replay(events).finish().violations
    }

    test("a history without a fault: from one session to the other, and handed on within one") {
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 1
            10 a.1 admitted a.1 0 100 2
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 queued b.1 0 1 1 1 -1
            30 a.1 exchange 2 0
            30 a.1 words a.1 0 2 0 0
            30 a.1 admitted b.1 0 102 1
            40 a.1 exchange 3 0
            40 a.1 words a.1 1 2 0 0
            40 a.1 given b.1 1
            50 b.1 exchange 2 0
            50 b.1 words b.1 1 1 0 0
            """,
        ).shouldBeEmpty()
    }

    test("the short way without a fault") {
        check(
            2,
            """
            10 a.1 exchange 1 0
            10 a.1 fast a.1 2 100 0 0 0 0
            20 a.1 exchange 2 0
            20 a.1 fast a.1 0 102 2 2 0 0
            30 a.1 exchange 3 0
            30 a.1 fast a.1 1 102 2 2 0 0
            40 a.1 exchange 4 0
            40 a.1 fast a.1 0 103 3 3 0 0
            """,
        ).shouldBeEmpty()
    }

    test("a turn whose session is over is passed by, also if the session is still there, but not before") {
        fun admittedAt(millis: Int) =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 words a.1 0 0 0 0
                10 a.1 given a.1 1
                10 a.1 admitted a.1 0 100 2
                500 b.1 exchange 1 0
                500 b.1 words b.1 0 0 0 0
                $millis b.1 exchange 2 0
                $millis b.1 words b.1 0 0 0 0
                $millis b.1 admitted b.1 0 102 1
                1300 b.1 exchange 3 0
                1300 b.1 words b.1 0 0 0 0
                1300 b.1 ended a.1
                1300 b.1 given b.1 1
                1310 b.1 exchange 4 0
                1310 b.1 words b.1 1 1 0 0
                """,
            )
        admittedAt(1100).shouldBeEmpty()
        admittedAt(900).first() shouldContain "passes by a.1, whose turn it is"
    }

    test("a crash without a fault: the dead session's permit and place are taken when its lease is over") {
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 1
            10 a.1 admitted a.1 0 100 1
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 admitted b.1 0 101 1
            30 a.1 exchange 2 0
            30 a.1 words a.1 0 1 0 0
            30 a.1 queued a.1 1 1 1 1 -1
            900 b.1 exchange 2 0
            900 b.1 words b.1 0 0 0 0
            900 b.1 queued b.1 1 2 1 1 -1
            1031 b.1 exchange 3 0
            1031 b.1 words b.1 0 0 0 0
            1031 b.1 ended a.1
            1031 b.1 given b.1 1
            1031 b.1 left a.1 1 1
            1031 b.1 admitted b.1 1 102 1
            1040 b.1 exchange 4 0
            1040 b.1 words b.1 1 2 0 0
            """,
        ).shouldBeEmpty()
    }

    test("listed permits without a fault: a heavy one that waits, and one that is over") {
        check(
            2,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 granted a.1 0 100 1 1 500
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 queued b.1 0 1 1 2 -1
            510 b.1 exchange 2 0
            510 b.1 words b.1 0 0 0 0
            510 b.1 overheld a.1:100:1
            510 b.1 granted b.1 0 101 1 2 -1
            520 b.1 exchange 3 0
            520 b.1 words b.1 0 0 0 0
            520 b.1 returned b.1 101 2
            """,
        ).shouldBeEmpty()
    }

    fun keeping(
        takenAt: Int,
        vararg before: String,
    ) = check(
        1,
        (
            listOf(
                "10 a.1 exchange 1 0",
                "10 a.1 words a.1 0 0 0 0",
                "10 a.1 granted a.1 0 100 1 1 9000",
                "20 b.1 exchange 1 0",
                "20 b.1 words b.1 0 0 0 0",
                "20 b.1 queued b.1 0 1 1 1 9000",
                "30 a.1 exchange 2 0",
                "30 a.1 words a.1 0 0 0 0",
                "30 a.1 kept a.1 100 1 500",
            ) + before +
                listOf(
                    "$takenAt b.1 exchange 2 0",
                    "$takenAt b.1 words b.1 0 0 0 0",
                    "$takenAt b.1 overheld a.1 the label: of a:100:1",
                    "$takenAt b.1 granted b.1 0 101 1 1 9000",
                    "520 b.1 exchange 3 0",
                    "520 b.1 words b.1 0 0 0 0",
                    "520 b.1 returned b.1 101 1",
                )
            ).joinToString("\n"),
    )

    test("a permit that is kept without a fault: nobody's until its minimum hold is over, also when its session ends") {
        keeping(takenAt = 501).shouldBeEmpty()
        keeping(takenAt = 501, "40 a.1 exchange 3 1", "40 a.1 words a.1 0 0 0 0", "40 a.1 ended a.1").shouldBeEmpty()
    }

    test("a permit that is kept and taken too early, given meanwhile, or never free") {
        keeping(takenAt = 400).first() shouldContain "taken before its hold is over"
        keeping(
            takenAt = 501,
            "40 a.1 exchange 3 0",
            "40 a.1 words a.1 0 0 0 0",
            "40 a.1 granted a.1 1 1000 1 1 9000",
        ).joinToString() shouldContain "2 of 1 permits held"
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 granted a.1 0 100 1 1 9000
            30 a.1 exchange 2 0
            30 a.1 words a.1 0 0 0 0
            30 a.1 kept a.1 100 1 500
            """,
        ).single() shouldContain "still kept at the end"
    }

    test("a resize down without a fault: the turn is told to give back first") {
        check(
            2,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 2
            10 a.1 admitted a.1 0 100 3
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 resized 1
            20 b.1 restrained a.1 1
            30 a.1 exchange 2 0
            30 a.1 words a.1 1 2 0 0
            40 a.1 exchange 3 0
            40 a.1 words a.1 2 3 0 0
            """,
        ).shouldBeEmpty()
    }

    test("a turn that may hand on more than there is after a resize down") {
        check(
            2,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 2
            10 a.1 admitted a.1 0 100 3
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 resized 1
            30 a.1 exchange 2 0
            30 a.1 words a.1 1 3 0 0
            30 a.1 exchange 3 0
            30 a.1 words a.1 2 3 0 0
            """,
        ).single() shouldContain "may hand on all of them"
    }

    test("a repeated exchange does not prolong the lease") {
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 fast a.1 1 100 0 0 0 0
            300 b.1 exchange 1 0
            300 b.1 words b.1 0 0 0 0
            700 a.1 exchange 1 0
            1011 b.1 exchange 2 0
            1011 b.1 words b.1 0 0 0 0
            1011 b.1 ended a.1
            """,
        ).shouldBeEmpty()
    }

    test("an exchange that is executed twice, and one that leaves a gap") {
        for (number in listOf(1, 3)) {
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 words a.1 0 0 0 0
                20 a.1 exchange $number 0
                20 a.1 words a.1 0 0 0 0
                """,
            ).single() shouldContain "number $number executed after 1"
        }
    }

    test("words that cannot be true") {
        val untrue = listOf("2 1 0 0", "0 2 0 0", "0 1 2 0", "0 1 0 1")
        for (words in untrue) {
            val violations =
                check(
                    1,
                    """
                    10 a.1 exchange 1 0
                    10 a.1 fast a.1 1 100 0 0 0 0
                    20 a.1 exchange 2 0
                    20 a.1 words a.1 $words
                    """,
                )
            violations.first() shouldContain "cannot be true"
        }
    }

    test("more permits than there are, by count, the short way, and listed") {
        val second =
            listOf(
                "words b.1 0 0 0 0\n20 b.1 given b.1 1\n20 b.1 admitted b.1 0 101 1",
                "fast b.1 1 101 0 0 0 0",
                "words b.1 0 0 0 0\n20 b.1 granted b.1 0 101 1 1 100",
            )
        for (way in second) {
            val violations =
                check(
                    1,
                    """
                    10 a.1 exchange 1 0
                    10 a.1 fast a.1 1 100 0 0 0 0
                    20 b.1 exchange 1 0
                    20 b.1 WAY
                    """.trimIndent().replace("WAY", way),
                )
            violations.first() shouldContain "2 of 1 permits held"
        }
    }

    test("a permit given that nobody was admitted for") {
        val violations =
            check(
                2,
                """
                10 a.1 exchange 1 0
                10 a.1 words a.1 0 0 0 0
                10 a.1 given a.1 2
                10 a.1 admitted a.1 0 100 1
                20 a.1 exchange 2 0
                20 a.1 words a.1 2 1 0 0
                """,
            )
        violations.single() shouldContain "was given 1 permits more"
    }

    test("a newcomer passes by the queue") {
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 1
            10 a.1 admitted a.1 0 100 2
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 queued b.1 0 1 1 1 -1
            30 a.1 exchange 2 0
            30 a.1 words a.1 0 1 0 0
            30 a.1 admitted a.1 2 102 1
            40 a.1 exchange 3 0
            40 a.1 words a.1 0 3 0 0
            40 a.1 admitted b.1 0 103 1
            50 a.1 exchange 4 0
            50 a.1 words a.1 1 3 0 0
            50 a.1 given b.1 1
            60 b.1 exchange 2 0
            60 b.1 words b.1 1 1 0 0
            """,
        ).single() shouldContain "passes by b.1/0"
    }

    test("the queue is served out of order") {
        check(
            1,
            """
            10 a.1 exchange 1 0
            10 a.1 words a.1 0 0 0 0
            10 a.1 given a.1 1
            10 a.1 admitted a.1 0 100 2
            20 b.1 exchange 1 0
            20 b.1 words b.1 0 0 0 0
            20 b.1 queued b.1 0 1 2 1 -1
            30 a.1 exchange 2 0
            30 a.1 words a.1 1 2 0 0
            30 a.1 given b.1 1
            30 a.1 admitted b.1 1 102 1
            30 a.1 admitted b.1 0 103 1
            40 b.1 exchange 2 0
            40 b.1 words b.1 1 2 0 0
            """,
        ).single() shouldContain "passes by b.1/0"
    }

    test("somebody is given something, admitted or granted although it is another one's turn") {
        for (what in listOf("given b.1 1", "admitted b.1 0 102 1", "granted b.1 0 102 1 1 100")) {
            val violations =
                check(
                    1,
                    """
                    10 a.1 exchange 1 0
                    10 a.1 words a.1 0 0 0 0
                    10 a.1 given a.1 1
                    10 a.1 admitted a.1 0 100 2
                    20 b.1 exchange 1 0
                    20 b.1 words b.1 0 0 0 0
                    20 b.1 $what
                    """,
                )
            violations.first() shouldContain "passes by a.1, whose turn it is"
        }
    }

    test("a token that does not grow") {
        for (token in listOf(100, 99)) {
            check(
                2,
                """
                10 a.1 exchange 1 0
                10 a.1 fast a.1 1 100 0 0 0 0
                20 b.1 exchange 1 0
                20 b.1 fast b.1 1 $token 0 0 0 0
                30 a.1 exchange 2 0
                30 a.1 fast a.1 0 200 1 1 0 0
                30 b.1 exchange 2 0
                30 b.1 fast b.1 0 200 1 1 0 0
                """,
            ).single() shouldContain "token not larger than 100"
        }
    }

    test("a permit that is never given back, and a turn that never ends") {
        val violations =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 words a.1 0 0 0 0
                10 a.1 given a.1 1
                10 a.1 admitted a.1 0 100 2
                """,
            )
        violations shouldHaveSize 2
        violations[0] shouldContain "leaked: 1 permits of a.1"
        violations[1] shouldContain "leaked: it is still the turn of a.1"
    }

    test("a place that is never given up, and a head that could have the turn") {
        val violations =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 fast a.1 1 100 0 0 0 0
                20 b.1 exchange 1 0
                20 b.1 words b.1 0 0 0 0
                20 b.1 queued b.1 0 1 1 1 -1
                30 a.1 exchange 2 0
                30 a.1 words a.1 1 1 0 0
                """,
            )
        violations shouldHaveSize 3
        violations[0] shouldContain "1 of 1 permits are held after it, it is nobody's turn, and b.1/0 waits"
        violations[1] shouldContain "0 of 1 permits are held after it, it is nobody's turn, and b.1/0 waits"
        violations[2] shouldContain "leaked: place b.1/0"
    }

    test("a permit that nobody gets although it is somebody's turn") {
        val violations =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 fast a.1 1 100 0 0 0 0
                20 b.1 exchange 1 0
                20 b.1 words b.1 0 0 0 0
                20 b.1 admitted b.1 0 101 1
                30 a.1 exchange 2 0
                30 a.1 words a.1 1 1 0 0
                40 b.1 exchange 2 0
                40 b.1 words b.1 0 1 1 0
                """,
            )
        violations.single() shouldContain "0 of 1 permits are held after it, and b.1, whose turn it is, waits"
    }

    test("a session and a place taken before the lease is over, and a permit before its hold is") {
        val taken =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 words a.1 0 0 0 0
                10 a.1 granted a.1 0 100 1 1 1000
                20 a.1 exchange 2 0
                20 a.1 words a.1 0 0 0 0
                20 a.1 queued a.1 1 1 1 1 500
                800 b.1 exchange 1 0
                800 b.1 words b.1 0 0 0 0
                800 b.1 overheld a.1:100:1
                800 b.1 left a.1 1 1
                800 b.1 ended a.1
                """,
            )
        taken shouldHaveSize 3
        taken[0] shouldContain "taken before its hold is over"
        taken.drop(1).forEach { it shouldContain "taken after 780 ms of a lease of 1000 ms" }
    }

    test("something for a session that is over, or should be") {
        val violations =
            check(
                1,
                """
                10 a.1 exchange 1 0
                10 a.1 fast a.1 1 100 0 0 0 0
                20 b.1 exchange 1 0
                20 b.1 words b.1 0 0 0 0
                20 b.1 admitted b.1 0 101 1
                990 a.1 exchange 2 0
                990 a.1 words a.1 0 1 0 0
                1990 a.1 exchange 3 0
                1990 a.1 words a.1 1 1 0 0
                1990 a.1 given b.1 1
                1990 b.1 exchange 2 0
                1990 b.1 words b.1 1 1 0 0
                """,
            )
        violations[0] shouldContain "given b.1 1: for a session silent for a lease"
        violations[1] shouldContain "executed for a session silent for a lease"
        check(2, "10 c.1 exchange 1 0\n10 c.1 fast c.1 1 100 0 0 0 0")[0] shouldContain "executed for a session that is not there"
    }

    test("permits put back although no data were lost") {
        check(1, "10 c.1 open c 1000\n10 c.1 begun c.1 1\n20 c.1 exchange 1 0\n20 c.1 words c.1 1 0 0 0").single() shouldContain "put back"
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

    test("starts in the order of their tokens, also if the first is seen late") {
        overtakings("s", 1, listOf(HoldInterval(1, "a", 0, 9), HoldInterval(2, "b", 10, 20))).shouldBeEmpty()
        overtakings("s", 2, listOf(HoldInterval(1, "a", 10, 20), HoldInterval(2, "b", 0, 9), HoldInterval(3, "b", 21, 22))).shouldBeEmpty()
    }

    test("starts against the order of their tokens, though nothing overlaps") {
        overtakings("s", 1, listOf(HoldInterval(1, "a", 10, 20), HoldInterval(2, "b", 0, 9))).single() shouldContain "2 grants of 1"
        overtakings("s", 2, listOf(HoldInterval(1, "a", 20, 30), HoldInterval(2, "b", 0, 9), HoldInterval(3, "c", 5, 9))).shouldNotBeEmpty()
    }

    test("an update of a fenced register that was lost, and one that came late") {
        fun register(vararg accepted: Pair<Long, Long>) = registerViolations("s", accepted.toList())
        register(5L to 1L, 7L to 2L, 7L to 3L).shouldBeEmpty()
        register(5L to 1L, 7L to 1L).single() shouldContain "lost"
        register(7L to 1L, 5L to 2L).single() shouldContain "after 7"
        register().size shouldBe 0
    }
})
