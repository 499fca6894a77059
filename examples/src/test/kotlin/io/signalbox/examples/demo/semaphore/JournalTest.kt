package io.signalbox.examples.demo.semaphore

import io.kotest.core.spec.style.FunSpec
import io.kotest.matchers.collections.shouldContainExactly
import io.kotest.matchers.nulls.shouldBeNull
import io.kotest.matchers.nulls.shouldNotBeNull
import io.kotest.matchers.shouldBe
import kotlin.time.Duration.Companion.seconds

class JournalTest : FunSpec({
    val plan = Plan(15.seconds, processes = 3, permits = 2, redisUri = null)

    fun holds(worker: Int, at: Long, token: Long) = News(worker, Holds(at, at - 1, token, heldAtGrant = 1))

    test("turns, queue and holders follow the reports") {
        val journal = Journal(plan)
        journal.add(holds(1, at = 10, token = 100))
        journal.add(News(2, Waits(at = 20)))
        journal.holding shouldContainExactly listOf(1)
        journal.queued shouldContainExactly listOf(2)

        journal.add(News(1, LetsGo(at = 30, token = 100)))
        journal.add(holds(2, at = 40, token = 101))
        journal.holding shouldContainExactly listOf(2)
        journal.queued shouldContainExactly emptyList()
        journal.turns.map { Triple(it.worker, it.grantedAt, it.endedAt) } shouldContainExactly
            listOf(Triple(1, 10L, 30L), Triple(2, 40L, null))
    }

    test("the permit of the killed is back when as many others hold as there are permits") {
        val journal = Journal(plan)
        journal.add(holds(1, at = 10, token = 100))
        journal.add(holds(2, at = 11, token = 101))
        journal.add(News(1, Killed(at = 20)))
        journal.ghost shouldBe 1

        journal.add(News(2, LetsGo(at = 30, token = 101)))
        journal.add(holds(3, at = 31, token = 102))
        journal.comeback.shouldBeNull()

        journal.add(holds(2, at = 40, token = 103))
        journal.comeback.shouldNotBeNull().token shouldBe 103
        journal.ghost.shouldBeNull()
    }

    test("a worker that had let go before it was killed is no killed holder") {
        val journal = Journal(plan)
        journal.add(holds(1, at = 10, token = 100))
        journal.add(News(1, LetsGo(at = 19, token = 100)))
        journal.add(News(1, Killed(at = 20)))
        journal.kill.shouldBeNull()
    }

    test("the timeline orders what several pipes bring") {
        val timeline = Timeline()
        listOf(News(1, Ready(at = 30)), News(2, Ready(at = 10)), News(3, Ready(at = 30)), News(4, Ready(at = 50))).forEach(timeline::add)
        timeline.takeBefore(50).map { it.worker } shouldContainExactly listOf(2, 1, 3)
        timeline.takeBefore(51).map { it.worker } shouldContainExactly listOf(4)
    }
})
