package io.signalbox.examples.demo.semaphore

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldBeSingleton
import io.kotest.matchers.shouldBe
import io.kotest.matchers.string.shouldContain
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.Duration.Companion.seconds

/** Moments are given in milliseconds here. */
private fun turn(worker: Int, token: Long, from: Int, to: Int?, askedAt: Int = from, heldAtGrant: Int = 1, lost: Boolean = false) = Turn(
    worker,
    token,
    askedAt.milliseconds.inWholeNanoseconds,
    from.milliseconds.inWholeNanoseconds,
    heldAtGrant,
    to?.milliseconds?.inWholeNanoseconds,
    lost,
)

/** Two permits. Worker 2 is killed at 1000 with token 11; at 3800 worker 3 holds its permit beside worker 1. */
private val killed = turn(2, token = 11, from = 500, to = 1000)
private val goodTurns = listOf(
    turn(1, token = 10, from = 0, to = 2000, heldAtGrant = 1),
    killed,
    turn(3, token = 12, from = 2000, to = 3000, askedAt = 100, heldAtGrant = 2),
    turn(1, token = 13, from = 3000, to = 5000, askedAt = 2100, heldAtGrant = 2),
    turn(3, token = 14, from = 3800, to = 6000, askedAt = 3100, heldAtGrant = 2),
)

private fun evidence(
    turns: List<Turn> = goodTurns,
    heldSamples: List<Int> = listOf(0, 1, 2, 2, 0),
    accepted: List<Long> = listOf(10, 11, 12, 13, 14),
    refused: List<RegisterAnswer> = emptyList(),
    kill: Kill? = Kill(1000.milliseconds.inWholeNanoseconds, killed),
    lateWrite: RegisterAnswer? = RegisterAnswer(token = 11, accepted = false, largest = 14),
    end: EndState = EndState(permits = 2, held = 0, queued = 0),
) = Evidence(2, 3.seconds, 1.seconds, turns, heldSamples, accepted, refused, kill, lateWrite, end)

private fun Evidence.broken() = verify(this).filterNot { it.kept }

private fun Evidence.shouldBreak(promise: String, facts: String) {
    broken().shouldBeSingleton {
        it.promise shouldBe promise
        it.facts shouldContain facts
    }
}

class VerifierTest : FunSpec({
    test("a good run keeps all promises") {
        evidence().broken().shouldBeEmpty()
        evidence(
            turns = goodTurns + turn(4, token = 15, from = 6000, to = 6100),
            refused = listOf(RegisterAnswer(token = 15, accepted = false, largest = 16)),
        ).broken().shouldBeEmpty()
    }

    context("too many holders") {
        test("turns that overlap") {
            evidence(turns = goodTurns + turn(4, token = 15, from = 4000, to = 4100))
                .shouldBreak("at most 2 holders", "worker 1 with token 13, worker 3 with token 14, worker 4 with token 15")
        }

        test("a turn that never ended goes on") {
            evidence(turns = goodTurns + turn(4, token = 15, from = 5500, to = null) + turn(1, token = 16, from = 5800, to = 5900))
                .shouldBreak("at most 2 holders", "3 turns overlap")
        }

        test("one that begins when another ends is no overlap") {
            evidence(turns = goodTurns + turn(4, token = 15, from = 5000, to = 5100)).broken().shouldBeEmpty()
        }

        test("on the server") {
            evidence(heldSamples = listOf(2, 3)).shouldBreak("at most 2 holders", "the server showed 3 permits held")
        }

        test("by the server's count at a grant") {
            evidence(turns = goodTurns + turn(4, token = 15, from = 7000, to = 7100, heldAtGrant = 3))
                .shouldBreak("at most 2 holders", "counted 3")
        }
    }

    context("tokens") {
        test("a smaller token for a later request") {
            evidence(turns = goodTurns + turn(4, token = 9, from = 7000, to = 7100))
                .shouldBreak("tokens grow", "worker 4 got token 9 after worker 3 had got 14")
        }

        test("requests that crossed may be granted in any order") {
            val crossed =
                listOf(
                    turn(1, token = 16, from = 7000, to = 7100, askedAt = 6900),
                    turn(4, token = 15, from = 7050, to = 7100, askedAt = 6950),
                )
            evidence(turns = goodTurns + crossed).broken().shouldBeEmpty()
        }

        test("the same token twice") {
            evidence(turns = goodTurns + turn(4, token = 14, from = 7000, to = 7100))
                .shouldBreak("tokens grow", "token 14 was granted to worker 3 and worker 4")
        }
    }

    context("the register") {
        test("goes back") {
            evidence(accepted = listOf(10, 12, 11, 13)).shouldBreak("register is fenced", "from token 12 to 11")
        }

        test("accepts a token that nobody has") {
            evidence(accepted = listOf(10, 99)).shouldBreak("register is fenced", "token 99")
        }

        test("accepts the late write") {
            evidence(lateWrite = RegisterAnswer(token = 11, accepted = true, largest = 14)).shouldBreak("register is fenced", "late write")
        }

        test("refuses the largest token") {
            evidence(
                refused = listOf(RegisterAnswer(token = 13, accepted = false, largest = 12)),
            ).shouldBreak("register is fenced", "refused token 13")
        }
    }

    context("the killed holder's permit") {
        test("comes back late") {
            val late = goodTurns.dropLast(1) + turn(3, token = 14, from = 5100, to = 6000) + turn(1, token = 15, from = 5200, to = 6000)
            evidence(turns = late, accepted = listOf(10, 11, 12, 13)).shouldBreak("killed permit returns", "4.20 s after the kill")
        }

        test("never comes back, though the other one goes round") {
            evidence(
                turns = goodTurns.dropLast(1),
                accepted = listOf(10, 11, 12, 13),
            ).shouldBreak("killed permit returns", "did not come back")
        }

        test("nobody was killed") {
            evidence(kill = null).shouldBreak("killed permit returns", "no holder was killed")
        }
    }

    test("a live worker that lost its permit") {
        evidence(
            turns = goodTurns + turn(4, token = 15, from = 7000, to = 7100, lost = true),
        ).shouldBreak("live holders keep it", "token 15")
    }

    test("what is left at the end") {
        evidence(end = EndState(permits = 2, held = 1, queued = 0)).shouldBreak("nothing left behind", "1 of 2 permits available")
        evidence(end = EndState(permits = 2, held = 0, queued = 3)).shouldBreak("nothing left behind", "3 in the queue")
        evidence(end = EndState(permits = 3, held = 0, queued = 0)).shouldBreak("nothing left behind", "3 of 2")
    }
})
