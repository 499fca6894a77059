package io.signalbox.chaos

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import io.signalbox.chaos.check.Findings
import io.signalbox.chaos.check.Life
import io.signalbox.chaos.check.Testimony
import io.signalbox.chaos.check.check
import io.signalbox.chaos.client.Bell
import io.signalbox.chaos.client.Prize
import io.signalbox.chaos.client.Said
import io.signalbox.chaos.run.Loss
import io.signalbox.chaos.run.Strike

/** The checkers are code too: each is shown histories by hand, good ones and one for each way to go wrong. Times are in ms. */
class ChecksSpec : FunSpec({
    /** `ms WHAT worker thing numbers...`, one a line; the numbers of holds and losses are in ms as well. */
    fun life(
        label: String,
        history: String,
        wasKilled: Boolean = false,
        leaseMillis: Int = 1000,
    ): Life {
        val lines =
            history.trimIndent().lines().filter { it.isNotBlank() }.map { line ->
                val words = (line.split(' ') + List(4) { "0" }).take(8)
                val said = Said.parse("${words[0].toLong() * 1_000_000} ${words.drop(1).joinToString(" ")}")!!
                if (said.what.name.startsWith("H") && said.thing in Prize.entries.map { it.title }) {
                    Said(said.nanos, said.what, said.worker, said.thing, said.a, said.b, said.c * 1_000_000, said.d * 1_000_000)
                } else {
                    said
                }
            }
        return Life(label, leaseMillis, wasKilled, wasSkewed = false, lines)
    }

    fun checked(
        vararg lives: Life,
        losses: List<LongRange> = emptyList(),
        ofWrites: Boolean = true,
        strikes: List<Strike> = emptyList(),
        signalsLeft: Int = 0,
        dead: Set<String> = emptySet(),
        registers: List<Pair<Long, Long>> = emptyList(),
    ): Findings =
        check(
            Testimony(
                lives.toList(),
                audit = emptyMap(),
                strikes,
                losses.map { Loss(it.first * 1_000_000, it.last * 1_000_000, ofWrites) },
                clockWasBent = false,
                wallMicros = 0,
                Prize.entries.filter { it.isFenced }.associate { it.title to registers },
                Bell.entries.associate { it.title to signalsLeft },
                dead,
            ),
        )

    fun Findings.only(): String = violations.single().toString()

    test("permits of a pool: one after the other, and too many at once") {
        val first = life("a", "10 HELD 1 pond 1 100 5 10")
        checked(first, life("b", "20 HELD 1 pond 1 101 11 20")).violations.shouldBeEmpty()
        checked(first, life("b", "20 HELD 1 pond 1 101 9 20")).only() shouldContain "B pond: 2 of 1 permits were held"
    }

    test("several permits of one hold count as such") {
        checked(life("a", "10 HELD 1 pool 2 100 1 10"), life("b", "10 HELD 1 pool 2 101 2 10"), life("c", "10 HELD 1 pool 2 102 3 10"))
            .only() shouldContain "6 of 5 permits were held"
    }

    test("after data were lost there may be extra holders for a lease, as many as there are permits, and they are counted") {
        fun after(
            begin: Int,
            end: Int,
        ) = checked(
            life("a", "$end HELD 1 one 1 100 100 $end"),
            life("b", "$end HELD 1 one 1 200 $begin $end"),
            losses = listOf(500L..510L),
        )
        after(600, 700).run {
            violations.shouldBeEmpty()
            extras shouldBe 1
        }
        after(400, 450).violations.first().toString() shouldContain "B one: 2 of 1 permits were held"
        after(1511, 1600).violations.first().toString() shouldContain "B one"
        checked(
            life("a", "700 HELD 1 one 1 100 100 700"),
            life("b", "700 HELD 1 one 1 200 600 700"),
            life("c", "700 HELD 1 one 1 300 650 700"),
            losses = listOf(500L..510L),
        ).violations.first().toString() shouldContain "3 of 1 permits"
    }

    test("a token that is held by two, also after data were lost") {
        for (losses in listOf(emptyList(), listOf(500L..516L))) {
            checked(life("a", "10 HELD 1 one 1 100 5 10"), life("b", "20 HELD 1 one 1 100 11 20"), losses = losses)
                .violations.map { "$it" }.first { "C one" in it } shouldContain "token 100 was held by"
        }
    }

    test("a token of a pool that is smaller than one that was told before it was asked for") {
        val first = life("a", "10 HELD 1 pond 1 100 5 10")
        checked(first, life("b", "9 ASKING 1 pond\n20 HELD 1 pond 1 99 11 20")).violations.shouldBeEmpty()
        checked(first, life("b", "11 ASKING 1 pond\n20 HELD 1 pond 1 99 12 20")).only() shouldContain "99 though 100 had been told"
    }

    test("an update of a register that was lost") {
        checked(life("a", ""), registers = listOf(1L to 1L, 2L to 1L)).violations.first().toString() shouldContain "lost"
    }

    test("signals: each once; those of a call that failed may have been set") {
        val set =
            life("a", "1 SETTING 1 bell\n2 SET 1 bell\n3 SETTING 1 bell\n4 SET 1 bell\n5 SETTING 1 bell\n6 SETTING 1 bell\n7 SET 1 bell")
        fun got(
            count: Int,
            left: Int = 0,
        ) = checked(set, life("b", List(count) { "${it + 10} GOT 1 bell" }.joinToString("\n")), signalsLeft = left).violations.filter {
            it.thing ==
                "bell"
        }
        got(3).shouldBeEmpty()
        got(4).shouldBeEmpty()
        got(5).single().text shouldContain "doubled"
        got(2).single().text shouldContain "lost"
    }

    test("signals that a process received in the lease before it died go to the next one, too") {
        val set = life("a", "1 SETTING 1 bell\n2 SET 1 bell")
        val heir = life("c", "2000 GOT 1 bell")
        checked(set, life("b", "10 AWAITING 1 bell\n11 GOT 1 bell", wasKilled = true), heir).violations.shouldBeEmpty()
        checked(set, life("b", "10 AWAITING 1 bell\n11 GOT 1 bell\n1500 AWAITING 1 bell", wasKilled = true), heir).only() shouldContain
            "doubled"
    }

    test("signals where something was lost: those from before may be gone with writes, not with leases; those since may not") {
        val set = life("a", "1 SETTING 1 bell\n2 SET 1 bell\n600 SETTING 1 bell\n601 SET 1 bell")

        fun got(
            vararg millis: Int,
            ofWrites: Boolean = true,
        ) = checked(
            set,
            life("b", millis.joinToString("\n") { "$it GOT 1 bell" }),
            losses = listOf(500L..510L),
            ofWrites = ofWrites,
        ).violations.map { it.text }
        got(700).shouldBeEmpty()
        got(3, 700).shouldBeEmpty()
        got(3).single() shouldContain "lost"
        got(700, ofWrites = false).single() shouldContain "lost"
        got(3, 700, ofWrites = false).shouldBeEmpty()
        // Who received it then may have lost it before he could say so.
        got(3, 700, 800).shouldBeEmpty()
        got(3, 1600, 1700).single() shouldContain "doubled"
    }

    test("timers where writes were lost: what was done since counts") {
        fun timer(history: String) = checked(life("a", history), losses = listOf(500L..510L)).violations
        timer("1 SCHEDULING 1 t 1\n2 SCHEDULED 1 t 1 2000").shouldBeEmpty()
        timer("600 SCHEDULING 1 t 1\n601 SCHEDULED 1 t 1 601000").single().text shouldContain "lost"
        val going = "700 HANDLING 1 t 1 690 1 700000\n701 HANDLED 1 t 1\n710 HANDLING 1 t 1 690 4"
        timer("1 SCHEDULING 1 t 1\n2 SCHEDULED 1 t 1 2000\n$going 710000").single().text shouldContain "twice"
        val cancelled = "600 SCHEDULING 1 t 1\n601 SCHEDULED 1 t 1 601000\n602 CANCELLING 1 t\n603 CANCELLED 1 t 1 603000"
        timer("$cancelled\n700 HANDLING 1 t 1 690 1 700000").single().text shouldContain "cancelled"
        timer(
            "1 SCHEDULING 1 t 1\n2 SCHEDULED 1 t 1 2000\n3 CANCELLING 1 t\n4 CANCELLED 1 t 1 4000\n700 HANDLING 1 t 1 690 1 700000",
        ).shouldBeEmpty()
    }

    test("timers that come again: at their rate, unless they may have been set twice") {
        fun timer(setting: String) =
            checked(
                life(
                    "a",
                    "$setting\n3 SCHEDULED 1 t-again 1\n600 HANDLING 1 t-again 1 500 1 500000\n601 HANDLED 1 t-again 1\n" +
                        "990 HANDLING 1 t-again 1 950 1 950000",
                ),
            ).violations
        timer("1 SCHEDULING 1 t-again 1").single().text shouldContain "not at its rate"
        timer("1 SCHEDULING 1 t-again 1\n2 SCHEDULING 1 t-again 1").shouldBeEmpty()
    }

    test("timers: early, lost, twice, after a cancel, in an older version, poison") {
        val set = "1 SCHEDULING 1 t 1\n2 SCHEDULED 1 t 1 1000000"
        fun timer(
            history: String,
            dead: Set<String> = emptySet(),
            strikes: List<Strike> = emptyList(),
        ) = checked(life("a", history), dead = dead, strikes = strikes).violations
        timer("$set\n9 HANDLING 1 t 1 5000 1 5000000\n10 HANDLED 1 t 1").shouldBeEmpty()
        timer("$set\n9 HANDLING 1 t 1 5000 1 4999000\n10 HANDLED 1 t 1").single().text shouldContain "early"
        timer(set).single().text shouldContain "lost"
        timer("$set\n3 CANCELLING 1 t\n4 CANCELLED 1 t 1 2000000\n9 HANDLING 1 t 1 5000 1 5000000").single().text shouldContain "cancelled"
        timer(
            "$set\n3 SCHEDULING 1 t 2\n4 SCHEDULED 1 t 2 2000000\n5 HANDLED 1 t 2\n9 HANDLING 1 t 1 5000 1 5000000",
        ).single().text shouldContain
            "replaced"
        val again = "$set\n9 HANDLING 1 t 1 5000 3 5000000\n10 HANDLED 1 t 1\n11 HANDLING 1 t 1 5000"
        timer("$again 4 6000000").single().text shouldContain "twice"
        timer("$again 4 7000000").shouldBeEmpty()
        val poison =
            set.replace(" t", " poison-t") + "\n" + List(3) { "9 HANDLING 1 poison-t 1 5000 ${it + 1} ${5000000 + it}" }.joinToString("\n")
        timer(poison, setOf("poison-t")).shouldBeEmpty()
        timer(poison).single().text shouldContain "not among the dead"
        timer("$poison\n9 HANDLING 1 poison-t 1 5000 4 6000000", setOf("poison-t"), listOf(Strike("cut", 0, 1))).first().text shouldContain
            "once more"
    }

    test("an exception that nobody is promised") {
        checked(life("a", "1 UNEXPECTED 1 java.lang.Error")).only() shouldContain "java.lang.Error"
    }
})
